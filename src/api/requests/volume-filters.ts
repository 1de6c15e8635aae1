import type { Filters, VolumeView } from "../../engine/types.ts";
import { SampanError } from "../../errors/index.ts";
import { type ApiVersion, versionNumber } from "../http/versions.ts";
import { filterFlag, matchesLabels } from "./filters.ts";

export const volumeFilters = ["dangling", "driver", "label", "name"];
export const volumePruneFilters = ["all", "label", "label!"];

/** Since then only volumes that nobody named are pruned, unless `all` says otherwise. */
const anonymousOnly = versionNumber("1.42");

/** Docker's filters of GET /volumes. A name is a regular expression or a part of the name. */
export function volumeFilter(filters: Filters): (volume: VolumeView) => boolean {
  const any = (key: string, test: (value: string) => boolean): boolean => {
    const values = filters[key];
    return values === undefined || values.length === 0 || values.some(test);
  };
  const dangling = filterFlag(filters, "dangling");
  return ({ name, labels, users }) =>
    any("name", (part) => matches(name, part)) &&
    any("driver", (driver) => driver === "local") &&
    matchesLabels(labels, filters.label) &&
    (dangling === undefined || dangling === (users === 0));
}

/** Filters of POST /volumes/prune. */
export function volumePruneFilter(filters: Filters, version: ApiVersion): (volume: VolumeView) => boolean {
  if (filters.all !== undefined && version < anonymousOnly) throw new SampanError("invalid", "invalid filter 'all'");
  const all = version < anonymousOnly || filterFlag(filters, "all") === true;
  const without = filters["label!"] ?? [];
  return ({ anonymous, labels }) =>
    (all || anonymous) &&
    matchesLabels(labels, filters.label) &&
    !without.some((label) => matchesLabels(labels, [label]));
}

function matches(name: string, part: string): boolean {
  if (name.includes(part)) return true;
  try {
    return new RegExp(part).test(name);
  } catch {
    return false;
  }
}
