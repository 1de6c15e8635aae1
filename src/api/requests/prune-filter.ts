import type { Filters } from "../../engine/types.ts";
import { matchesLabels } from "./filters.ts";
import { parseMoment } from "./timestamps.ts";

/** What is pruned by its age and labels. */
interface Pruned {
  /** Unix milliseconds. */
  readonly createdAt: number;
  readonly labels: Readonly<Record<string, string>> | null | undefined;
}

/** The filters that every prune takes. */
export const pruneFilters: readonly string[] = ["until", "label", "label!"];

/** What `until`, `label` and `label!` let pass; throws "invalid" for a moment that is none. */
export function pruneFilter(filters: Filters, now: number): (candidate: Pruned) => boolean {
  const until = (filters.until ?? []).map((moment) => parseMoment(moment, now));
  const without = filters["label!"] ?? [];
  return ({ createdAt, labels }) =>
    until.every((moment) => createdAt < moment) &&
    matchesLabels(labels, filters.label) &&
    !without.some((label) => matchesLabels(labels, [label]));
}
