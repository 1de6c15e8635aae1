import { matchesGlob } from "node:path";
import type { Filters } from "../../engine/types.ts";
import type { StoredImage } from "../../images/types.ts";
import { filterFlag, matchesLabels } from "./filters.ts";
import { parseMoment } from "./timestamps.ts";

/** The filters of GET /images/json. */
export const imageFilters = ["dangling", "label", "before", "since", "reference", "until"];

/**
 * The images that match all filters. `resolve` finds what `before` and `since` name, or throws.
 */
export function filterImages(
  images: readonly StoredImage[],
  filters: Filters,
  resolve: (name: string) => StoredImage,
): StoredImage[] {
  const dangling = filterFlag(filters, "dangling");
  const before = createdAt(filters.before, resolve);
  const since = createdAt(filters.since, resolve);
  const until = (filters.until ?? []).map((text) => parseMoment(text, Date.now()));
  return images.filter((image) => {
    const created = Date.parse(image.createdAt || "1970-01-01");
    return (
      (dangling === undefined || dangling === (image.names.length === 0)) &&
      matchesLabels(image.config.config?.Labels, filters.label) &&
      matchesReference(image, filters.reference) &&
      before.every((moment) => created < moment) &&
      since.every((moment) => created > moment) &&
      until.every((moment) => created < moment)
    );
  });
}

function createdAt(names: readonly string[] | undefined, resolve: (name: string) => StoredImage): number[] {
  return (names ?? []).map((name) => Date.parse(resolve(name).createdAt || "1970-01-01"));
}

/** A pattern matches the whole name or the name without its tag or digest. */
function matchesReference(image: StoredImage, patterns: readonly string[] | undefined): boolean {
  if (patterns === undefined || patterns.length === 0) return true;
  const names = [...image.names, ...image.repoDigests];
  return names.some((name) => {
    const bare = name.replace(/@.*$/, "").replace(/:[^/]*$/, "");
    return patterns.some((pattern) => matchesGlob(name, pattern) || matchesGlob(bare, pattern));
  });
}
