import { SampanError } from "../errors/index.ts";
import { parseReference } from "../registry/reference.ts";
import type { Reference } from "../registry/types.ts";
import { hexOf } from "../storage/digest.ts";
import { formatPlatform, suitability } from "./platform.ts";
import type { Platform, StoredImage } from "./types.ts";

/** An image and the name by which it was found; without one it was found by id. */
export interface Match {
  readonly image: StoredImage;
  readonly reference: Reference | undefined;
}

/**
 * Finds an image by full id, name, name@digest or unique prefix of its id, in this order. Errors: "not-found" with
 * Docker's text, "invalid" for a prefix of several ids and for what can be neither name nor id.
 */
export function findImage(images: readonly StoredImage[], written: string, platform?: Platform): Match {
  const hex = /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(written)?.[1];
  if (hex?.length === 64) {
    const image = images.find(({ id }) => hexOf(id) === hex);
    if (image === undefined) throw new SampanError("not-found", `No such image: ${written}`);
    return suited({ image, reference: undefined }, written, platform);
  }
  const reference = written.startsWith("sha256:") ? undefined : parseReference(written);
  const named = reference && findByName(images, reference, platform);
  if (named !== undefined) return suited({ image: named, reference }, written, platform);
  const prefixed = hex === undefined ? [] : images.filter(({ id }) => hexOf(id).startsWith(hex));
  if (prefixed.length > 1) {
    throw new SampanError("invalid", `Cannot find one image by ${written}: ${prefixed.length} image ids begin with it`);
  }
  const [image] = prefixed;
  if (image === undefined) throw new SampanError("not-found", `No such image: ${reference?.familiar ?? written}`);
  return suited({ image, reference: undefined }, written, platform);
}

function findByName(
  images: readonly StoredImage[],
  { familiar, familiarName, digest }: Reference,
  platform?: Platform,
) {
  if (digest === undefined) return images.find(({ names }) => names.includes(familiar));
  const same = images.filter(({ repoDigests }) => repoDigests.includes(`${familiarName}@${digest}`));
  // One index, pulled for several platforms.
  return same.find(({ config }) => platform !== undefined && suitability(platform, config) !== undefined) ?? same[0];
}

function suited(match: Match, written: string, platform: Platform | undefined): Match {
  if (platform === undefined || suitability(platform, match.image.config) !== undefined) return match;
  const has = `its platform (${formatPlatform(match.image.config)}) does not match the specified platform`;
  const text = `image with reference ${written} was found but ${has} (${formatPlatform(platform)})`;
  throw new SampanError("not-found", text);
}
