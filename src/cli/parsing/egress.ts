import type { EgressConfig } from "../../api/shapes/egress.ts";
import { invalid } from "../errors.ts";

/** `--egress`: "deny" is nothing more than what others allow; `allow=` names what may be reached, several with commas between. */
export function parseEgress(text: string): readonly string[] {
  if (text === "deny") return [];
  const allowed = /^allow=(.+)$/.exec(text)?.[1]?.split(",") ?? [];
  if (allowed.length === 0 || allowed.some((each) => each.trim() === ""))
    throw invalid(
      `invalid egress policy ${JSON.stringify(text)}: it is deny, or allow= with HOST[:PORT], *.DOMAIN or CIDR`,
    );
  return allowed.map((each) => each.trim());
}

/** Everything that was said, as the API takes it; undefined when nothing was. */
export function egressConfig(said: readonly (readonly string[])[]): EgressConfig | undefined {
  return said.length === 0 ? undefined : { Allow: said.flat() };
}
