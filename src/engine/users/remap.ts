import { readFileSync } from "node:fs";
import { SampanError } from "../../errors/index.ts";
import type { IdMappings } from "../../runtime/user-namespace.ts";
import { mapInTurn } from "./ranges.ts";
import { readSubordinate } from "./subordinate.ts";

/** What `--userns-remap` asks for: ids that the daemon finds itself, or those that /etc/subuid and /etc/subgid give a user. */
export type Remap = "default" | { readonly user: string; readonly group: string };

/** Reads `default`, `USER` or `USER:GROUP`, each a name or a number. Throws `invalid`. */
export function parseRemap(text: string): Remap {
  if (text === "default") return "default";
  const [user = "", group = user, more] = text.split(":");
  if (user !== "" && group !== "" && more === undefined) return { user, group };
  throw new SampanError("invalid", `invalid userns-remap ${JSON.stringify(text)}: wanted default, USER or USER:GROUP`);
}

/** The ids of a user and a group, in the order of the files' lines. Throws `invalid` when they have none. */
export function mappingsOf({ user, group }: Exclude<Remap, "default">): IdMappings {
  return { users: mapped("subuid", user), groups: mapped("subgid", group) };
}

function mapped(file: "subuid" | "subgid", owner: string) {
  const names = namesOf(file, owner);
  const spans = readSubordinate(file).filter((line) => names.includes(line.owner));
  if (spans.length > 0) return mapInTurn(spans);
  const remedy = `add a line to /etc/${file}, like ${owner}:100000:65536`;
  throw new SampanError("invalid", `Cannot map ids: no ${file} ranges found for ${JSON.stringify(owner)}: ${remedy}`);
}

/** A name and its number, by the machine's own files: the ranges may be given to either. */
function namesOf(file: "subuid" | "subgid", owner: string): string[] {
  const text = readFileSync(file === "subuid" ? "/etc/passwd" : "/etc/group", "utf8");
  const found = text
    .split("\n")
    .map((line) => line.split(":"))
    .find(([name, , id]) => name === owner || id === owner);
  return found === undefined ? [owner] : [found[0] ?? "", found[2] ?? ""];
}
