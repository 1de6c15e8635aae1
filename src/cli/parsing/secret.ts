import type { SecretReference } from "../../api/shapes/container.ts";
import { invalid } from "../errors.ts";
import { parseCsv } from "./csv.ts";

/** `--secret NAME[,target=PATH][,uid=N][,gid=N][,mode=0400]`; the name may be `source=NAME`, too. */
export function parseSecret(text: string): SecretReference {
  const [first = "", ...rest] = parseCsv(text);
  const fields = first.includes("=") ? [first, ...rest] : [`source=${first}`, ...rest];
  const secret: { Source: string; Target?: string; UID?: number; GID?: number; Mode?: number } = { Source: "" };
  for (const field of fields) {
    const [name = "", ...parts] = field.split("=");
    const value = parts.join("=");
    if (name === "source" || name === "src" || name === "id") secret.Source = value;
    else if (name === "target" || name === "dst" || name === "destination") secret.Target = value;
    else if (name === "uid") secret.UID = number(field, value, 10);
    else if (name === "gid") secret.GID = number(field, value, 10);
    else if (name === "mode") secret.Mode = number(field, value, 8);
    else throw invalid(`invalid field '${field}' of a secret: there are source, target, uid, gid and mode`);
  }
  if (secret.Source === "") throw invalid(`invalid secret '${text}': wanted NAME[,target=PATH]`);
  return secret;
}

function number(field: string, text: string, base: 8 | 10): number {
  if (!(base === 8 ? /^[0-7]{1,5}$/ : /^\d{1,9}$/).test(text)) throw invalid(`invalid value of '${field}'`);
  return Number.parseInt(text, base);
}
