import { type Attribute, be32, nested, text } from "../attribute.ts";
import { readBe32, readText } from "../fields.ts";
import { decodeAttributes } from "../message.ts";
import * as c from "./constants.ts";

/** Where a packet goes. `jump` comes back at the end of the chain or at `return`, `goto` does not. */
export type Verdict = "accept" | "drop" | "continue" | "return" | { readonly jump: string } | { readonly goto: string };

const codes = { drop: 0, accept: 1, continue: -1, jump: -3, goto: -4, return: -5 } as const;

/** NFTA_DATA_VERDICT. */
export function verdictData(verdict: Verdict): Attribute {
  if (typeof verdict === "string") return nested(c.NFTA_DATA_VERDICT, [be32(c.NFTA_VERDICT_CODE, codes[verdict])]);
  const [code, chain] = "jump" in verdict ? [codes.jump, verdict.jump] : [codes.goto, verdict.goto];
  return nested(c.NFTA_DATA_VERDICT, [be32(c.NFTA_VERDICT_CODE, code), text(c.NFTA_VERDICT_CHAIN, chain)]);
}

export function decodeVerdict(bytes: Uint8Array): Verdict {
  const attributes = decodeAttributes(bytes);
  const code = (readBe32(attributes, c.NFTA_VERDICT_CODE) ?? 0) | 0;
  const chain = readText(attributes, c.NFTA_VERDICT_CHAIN) ?? "";
  if (code === codes.jump) return { jump: chain };
  if (code === codes.goto) return { goto: chain };
  if (code === codes.accept) return "accept";
  if (code === codes.return) return "return";
  return code === codes.drop ? "drop" : "continue";
}
