import { SampanError } from "../errors/index.ts";
import { parseReference } from "../registry/reference.ts";
import type { Reference } from "../registry/types.ts";
import { type Digest, hexOf } from "../storage/digest.ts";
import { formatPlatform, suitability } from "./platform.ts";
import type { Platform, StoredImage } from "./types.ts";

/** An image, and how it was found. */
export interface Match {
  readonly image: StoredImage;
  /** The name; without one it was found by id. */
  readonly reference: Reference | undefined;
  /** The manifest or index made here that the name, or the digest, stands for. */
  readonly target: Digest | undefined;
}

/**
 * Finds an image by full id, digest of an index made here, name, name@digest or unique prefix of its id, in this order; with
 * a platform the image for that one, where what was found is an index. Errors: "not-found" with Docker's text, "invalid" for a
 * prefix of several ids and for what can be neither name nor id.
 */
export function findImage(images: readonly StoredImage[], written: string, platform?: Platform): Match {
  const hex = /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(written)?.[1];
  if (hex?.length === 64) return suited(images, byDigest(images, written, hex), written, platform);
  const reference = written.startsWith("sha256:") ? undefined : parseReference(written);
  const named = reference && findByName(images, reference);
  if (named !== undefined) return suited(images, named, written, platform);
  const prefixed = hex === undefined ? [] : images.filter(({ id }) => hexOf(id).startsWith(hex));
  if (prefixed.length > 1) {
    throw new SampanError("invalid", `Cannot find one image by ${written}: ${prefixed.length} image ids begin with it`);
  }
  const [image] = prefixed;
  if (image === undefined) throw new SampanError("not-found", `No such image: ${reference?.familiar ?? written}`);
  return suited(images, { image, reference: undefined, target: undefined }, written, platform);
}

/** Whether it is here for an index's sake only: it has no name, and another image has the index's. */
export function isPart({ id, names, indexes }: StoredImage): boolean {
  return names.length === 0 && indexes.some(({ main }) => main !== id);
}

function byDigest(images: readonly StoredImage[], written: string, hex: string): Match {
  const own = images.find(({ id }) => hexOf(id) === hex);
  if (own !== undefined) return { image: own, reference: undefined, target: undefined };
  for (const image of images) {
    const index = image.indexes.find(({ digest, main }) => hexOf(digest) === hex && main === image.id);
    if (index !== undefined) return { image, reference: undefined, target: index.digest };
  }
  throw new SampanError("not-found", `No such image: ${written}`);
}

function findByName(images: readonly StoredImage[], reference: Reference): Match | undefined {
  const { familiar, familiarName, digest } = reference;
  const has = ({ names, repoDigests }: StoredImage) =>
    digest === undefined ? names.includes(familiar) : repoDigests.includes(`${familiarName}@${digest}`);
  const image = images.find(has);
  return image && { image, reference, target: digest ?? image.targets[familiar] };
}

/** Of what an index leads to, what suits best. */
function suited(images: readonly StoredImage[], match: Match, written: string, platform: Platform | undefined): Match {
  if (platform === undefined) return match;
  const ranked = [match.image, ...images.filter((image) => isBeside(image, match))]
    .map((image) => ({ image, rank: suitability(platform, image.config) }))
    .filter((one): one is { image: StoredImage; rank: number } => one.rank !== undefined)
    .sort((a, b) => a.rank - b.rank);
  const [best] = ranked;
  if (best !== undefined) return { ...match, image: best.image };
  const has = `its platform (${formatPlatform(match.image.config)}) does not match the specified platform`;
  const text = `image with reference ${written} was found but ${has} (${formatPlatform(platform)})`;
  throw new SampanError("not-found", text);
}

/** Whether what was found leads to the image, too: they are in the same index, made here or pulled. */
function isBeside({ indexes, repoDigests }: StoredImage, { image, reference, target }: Match): boolean {
  if (target !== undefined && indexes.some(({ digest }) => digest === target)) return true;
  if (reference === undefined) return false;
  const prefix = `${reference.familiarName}@${reference.digest ?? ""}`;
  return repoDigests.some((name) => name.startsWith(prefix) && image.repoDigests.includes(name));
}
