import { defaultDomain, parseReference, type Reference } from "../../registry/reference.ts";
import type { StoredImage } from "../types.ts";

/** An image under one of its names. */
export interface NamedImage {
  readonly image: StoredImage;
  readonly name: Reference;
}

/**
 * The names of images as a registry has them: "debian" and "library/debian" are docker.io's, other images go by their path
 * or, where two registries have the same, by registry and path. `ns`, which containerd sends to mirrors, names the registry.
 */
export function imagesAt(images: readonly StoredImage[], repository: string, ns: string | undefined): NamedImage[] {
  const named = images
    .filter(({ virtual }) => virtual === undefined)
    .flatMap((image) => image.names.map((name) => ({ image, name: parseReference(name) })));
  return named
    .filter(({ name }) => (ns === undefined || name.domain === ns) && goesBy(name, repository))
    .sort((a, b) => rank(a.name) - rank(b.name));
}

/** All repositories of the images, in the order of their names. */
export function repositoriesOf(images: readonly StoredImage[]): string[] {
  const names = images
    .filter(({ virtual }) => virtual === undefined)
    .flatMap((image) => image.names.map(parseReference));
  const all = names.map((name) => (name.domain === defaultDomain ? name.familiarName : name.path));
  return [...new Set(all)].sort();
}

function goesBy({ domain, path, familiarName }: Reference, repository: string): boolean {
  if (repository === path || repository === `${domain}/${path}`) return true;
  return domain === defaultDomain && repository === familiarName;
}

/** Docker's own first. */
function rank({ domain }: Reference): number {
  return domain === defaultDomain ? 0 : 1;
}
