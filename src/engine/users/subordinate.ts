import { existsSync, readFileSync } from "node:fs";
import type { Span } from "./ranges.ts";

/** A line of /etc/subuid or /etc/subgid (subuid(5)): ids that a user may give to user namespaces. */
interface Subordinate extends Span {
  /** A name or a number. */
  readonly owner: string;
}

export function parseSubordinate(text: string): Subordinate[] {
  return text.split("\n").flatMap((line) => {
    const [, owner = "", start, size] = /^([^:#]+):(\d+):(\d+)$/.exec(line.trim()) ?? [];
    return owner === "" ? [] : [{ owner, start: Number(start), size: Number(size) }];
  });
}

/** What the machine's files say; nothing where there are none. */
export function readSubordinate(file: "subuid" | "subgid"): Subordinate[] {
  const path = `/etc/${file}`;
  return existsSync(path) ? parseSubordinate(readFileSync(path, "utf8")) : [];
}
