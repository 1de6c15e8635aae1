import type { Context } from "../context.ts";
import { complete } from "./complete.ts";
import { daemonLookup } from "./lookup.ts";

/** `sampan __complete -- WORD...`: what the scripts of `sampan completion` ask. */
export async function answerShell(context: Context, [, ...words]: readonly string[]): Promise<number> {
  const at = words.findIndex((word) => word === "-H" || word === "--host");
  const { candidates, files } = await complete(words, daemonLookup(at < 0 ? undefined : words[at + 1]));
  if (files) context.print(":file");
  for (const { value, help } of candidates) context.print(help ? `${value}\t${help}` : value);
  return 0;
}
