import type { CacheEntry } from "../../build/types.ts";
import { parseFilters } from "./filters.ts";
import { parseMoment } from "./timestamps.ts";

const known = ["until", "id", "parent", "type", "description", "inuse", "shared", "private", "unused-for"];

/** Which entries of the build cache the filters of a prune mean: every key must match, one of its values is enough. */
export function pruneMatcher(text: string | null): (entry: CacheEntry) => boolean {
  const filters = parseFilters(text ?? undefined, known);
  const any = (key: string, test: (value: string) => boolean): boolean => {
    const values = filters[key];
    return values === undefined || values.length === 0 || values.some(test);
  };
  const now = Date.now();
  return (entry) => {
    const used = Date.parse(entry.lastUsedAt || entry.createdAt);
    const before = (value: string) => used < parseMoment(value, now);
    return (
      any("until", before) &&
      any("unused-for", before) &&
      any("id", (id) => entry.id.startsWith(id)) &&
      any("parent", (id) => entry.parents.some((parent) => parent.startsWith(id))) &&
      any("type", (type) => type === entry.type) &&
      any("description", (part) => entry.description.includes(part)) &&
      any("inuse", () => entry.inUse) &&
      any("shared", () => entry.shared) &&
      any("private", () => !entry.shared)
    );
  };
}
