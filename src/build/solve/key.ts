import { createHash } from "node:crypto";

/** Counts up whenever the same step would give another result than before: old results are not found any more. */
const generation = 1;

/** The cache key of a step: a hash of what it is and of what it works on. Members that are undefined do not count. */
export function keyOf(what: Readonly<Record<string, unknown>>): string {
  return createHash("sha256")
    .update(JSON.stringify({ generation, ...what }))
    .digest("hex");
}
