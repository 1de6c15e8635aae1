import { SampanError } from "../errors/index.ts";
import { formatPlatform, hostPlatform, suitability } from "./platform.ts";
import type { Descriptor, Index } from "./shapes.ts";
import type { ImageConfig, Platform } from "./types.ts";

/** The entry of an index that suits a platform best; the first of equals. */
export function choosePlatform({ manifests }: Index, wanted: Platform, name: string): Descriptor {
  const ranked = manifests
    .map((entry) => ({ entry, rank: entry.platform === undefined ? undefined : suitability(wanted, entry.platform) }))
    .filter(
      (candidate): candidate is { entry: (typeof manifests)[number]; rank: number } => candidate.rank !== undefined,
    )
    .sort((a, b) => a.rank - b.rank);
  const [only] = manifests;
  const chosen = ranked[0]?.entry ?? (manifests.length === 1 && only?.platform === undefined ? only : undefined);
  if (chosen !== undefined) return chosen;
  const text = `no matching manifest for ${formatPlatform(wanted)} in the manifest list entries`;
  throw new SampanError("not-found", `${name}: ${text}`);
}

/** What suits this machine best; the first of equals, and of all when nothing does. */
export function forThisMachine<Image extends { readonly config: Platform }>(
  images: readonly Image[],
): Image | undefined {
  const own = hostPlatform();
  const rank = ({ config }: Image) => suitability(own, config) ?? Number.POSITIVE_INFINITY;
  return images.toSorted((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)))[0];
}

/** Some builders leave the architecture out; the image was accepted for this machine then. */
export function withPlatform(config: ImageConfig): ImageConfig {
  return config.architecture === "" ? { ...config, architecture: hostPlatform().architecture } : config;
}

/** Refuses what is not for Linux, and what is not for the platform that was asked for by name. */
export function checkPlatform(config: ImageConfig, name: string, wanted?: Platform): void {
  if (config.os !== "linux") {
    throw new SampanError(
      "unsupported",
      `image operating system ${JSON.stringify(config.os)} of ${name} cannot be used on this platform`,
    );
  }
  if (wanted !== undefined && suitability(wanted, config) === undefined) {
    const is = `its platform (${formatPlatform(config)}) does not match the specified platform (${formatPlatform(wanted)})`;
    throw new SampanError("not-found", `image with reference ${name} was found but ${is}`);
  }
}
