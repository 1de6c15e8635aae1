import { matchesGlob } from "node:path";
import type { Filters } from "../../engine/types.ts";
import { isPart } from "../../images/lookup.ts";
import type { StoredImage } from "../../images/types.ts";
import { filterFlag, matchesLabels } from "./filters.ts";
import { pruneFilter } from "./prune-filter.ts";
import { parseMoment } from "./timestamps.ts";

/** The filters of GET /images/json. */
export const imageFilters = ["dangling", "label", "before", "since", "reference", "until"];

/** The images that match all filters. `resolve` finds what `before` and `since` name, or throws. */
export function filterImages(
  images: readonly StoredImage[],
  filters: Filters,
  resolve: (name: string) => StoredImage,
): StoredImage[] {
  const dangling = filterFlag(filters, "dangling");
  const before = createdAt(filters.before, resolve);
  const since = createdAt(filters.since, resolve);
  const until = (filters.until ?? []).map((text) => parseMoment(text, Date.now()));
  return selectNames(images, filters.reference).filter((image) => {
    const created = moment(image.createdAt);
    return (
      (dangling === undefined || dangling === isDangling(image)) &&
      matchesLabels(image.config.config?.Labels, filters.label) &&
      before.every((other) => created < other) &&
      since.every((other) => created > other) &&
      until.every((other) => created < other)
    );
  });
}

/** Filters of POST /images/prune: those without a name or, with dangling=false, all. */
export function imagePruneFilter(filters: Filters, now: number): (image: StoredImage) => boolean {
  const everything = filterFlag(filters, "dangling") === false;
  const passes = pruneFilter(filters, now);
  return (image) =>
    (everything ? !isPart(image) : isDangling(image)) &&
    passes({ createdAt: moment(image.createdAt), labels: image.config.config?.Labels });
}

/** One for an index's sake goes with the image that has the index's names. */
function isDangling(image: StoredImage): boolean {
  return image.names.length === 0 && !isPart(image);
}

function moment(created: string): number {
  return Date.parse(created || "1970-01-01");
}

function createdAt(names: readonly string[] | undefined, resolve: (name: string) => StoredImage): number[] {
  return (names ?? []).map((name) => moment(resolve(name).createdAt));
}

/**
 * Of every image the names that one of the patterns matches, of which there has to be one: a pattern selects names, as
 * dockerd has it. A pattern matches the whole name or the name without its tag or digest.
 */
function selectNames(images: readonly StoredImage[], patterns: readonly string[] | undefined): readonly StoredImage[] {
  if (patterns === undefined || patterns.length === 0) return images;
  const matches = (name: string): boolean => {
    const bare = name.replace(/@.*$/, "").replace(/:[^/]*$/, "");
    return patterns.some((pattern) => matchesGlob(name, pattern) || matchesGlob(bare, pattern));
  };
  return images
    .map((image) => ({
      ...image,
      names: image.names.filter(matches),
      repoDigests: image.repoDigests.filter(matches),
    }))
    .filter(({ names, repoDigests }) => names.length + repoDigests.length > 0);
}
