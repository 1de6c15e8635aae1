import type { ImageManifest } from "../../images/manifests.ts";
import type { Digest } from "../../storage/digest.ts";
import type { ManifestSummary } from "../shapes/image.ts";

/** One manifest of GET /images/json?manifests=1. */
export function manifestSummary(
  { digest, mediaType, size, platform, isAttestation, image, contentSize }: ImageManifest,
  containersOf: (image: Digest) => readonly string[],
): ManifestSummary {
  const shown = platform && {
    architecture: platform.architecture,
    os: platform.os,
    ...(platform.variant && { variant: platform.variant }),
  };
  const unpacked = image?.size ?? 0;
  const containers = image === undefined ? [] : containersOf(image.id);
  return {
    ID: digest,
    Descriptor: { mediaType, digest, size, ...(shown && { platform: shown }) },
    Available: image !== undefined,
    Size: { Content: contentSize, Total: contentSize + unpacked },
    Kind: isAttestation ? "attestation" : "image",
    ...(!isAttestation &&
      shown && { ImageData: { Platform: shown, Size: { Unpacked: unpacked }, Containers: containers } }),
  };
}
