import { SampanError } from "../../errors/index.ts";
import { parseReference } from "../../registry/reference.ts";
import type { Digest } from "../../storage/digest.ts";
import type { Hold } from "../garbage.ts";
import { findImage, type Match } from "../lookup.ts";
import { planPush } from "../push/plan.ts";
import { documentLimit, parseDocument } from "../shapes.ts";
import type { ImageTools } from "../tools.ts";
import type { Platform, StoredImage } from "../types.ts";
import { type ArchivePart, writeArchive } from "./archive.ts";

/** An image that is to be saved, under some of its names. */
interface Chosen {
  readonly image: StoredImage;
  /** The index made here that is saved with all of its images. */
  readonly index: Digest | undefined;
  readonly names: string[];
}

/**
 * An archive of images as docker writes it since 25: an OCI layout that is a docker-archive at the same time. Blobs are as
 * they were pulled, digests and all. An index made here is saved whole, unless a platform is named. Errors come before the
 * first byte.
 */
export async function saveImages(
  tools: ImageTools,
  images: readonly StoredImage[],
  names: readonly string[],
  platform: Platform | undefined,
): Promise<AsyncGenerator<Uint8Array>> {
  const chosen = choose(images, names, platform);
  const hold = tools.garbage.hold();
  try {
    const parts: ArchivePart[] = [];
    for (const one of chosen) parts.push(await partOf(tools, hold, one));
    return writing(tools, parts, () => tools.garbage.release(hold, false));
  } catch (error) {
    await tools.garbage.release(hold, false);
    throw error;
  }
}

async function partOf(tools: ImageTools, hold: Hold, { image, index, names }: Chosen): Promise<ArchivePart> {
  const row = tools.records.manifestOf(image.id);
  if (row === undefined) throw new SampanError("not-found", `No such image: ${names[0] ?? image.id}`);
  const { root, children, blobs } = await planPush(tools, hold, image, index ?? row.digest);
  const bytes = await tools.content.readSmall(row.digest, documentLimit);
  const document = parseDocument(bytes, image.id, row.mediaType);
  if (document.kind === "index") throw new SampanError("internal", `Cannot save ${image.id}: it has no manifest`);
  return {
    names,
    root: { digest: root.digest, mediaType: root.mediaType, size: root.bytes.length },
    blobs: [...blobs, ...children, root].map(({ digest }) => digest),
    image: { id: image.id, diffIds: image.config.rootfs.diff_ids, manifest: document.manifest },
  };
}

/** A name without a tag means all of its tags, an id the image without a name. */
function choose(images: readonly StoredImage[], names: readonly string[], platform: Platform | undefined): Chosen[] {
  const chosen = new Map<string, Chosen>();
  const add = ({ image, target }: Omit<Match, "reference">, own: readonly string[]): void => {
    if (image.virtual !== undefined) {
      throw new SampanError("unsupported", "Cannot save sampan/host: it is a view of this machine, not a stored image");
    }
    const isIndex = platform === undefined && image.indexes.some(({ digest }) => digest === target);
    const index = isIndex ? target : undefined;
    const key = index ?? image.id;
    const known = chosen.get(key) ?? { image, index, names: [] };
    for (const name of own) if (!known.names.includes(name)) known.names.push(name);
    chosen.set(key, known);
  };
  for (const written of names) {
    const tagged = /[:@]/.test(written.slice(written.lastIndexOf("/") + 1));
    const all = tagged || /^[0-9a-f]{64}$/.test(written) ? [] : tagsOf(images, written);
    for (const name of all) add(findImage(images, name, platform), [name]);
    if (all.length > 0) continue;
    const { reference, ...match } = findImage(images, written, platform);
    add(match, reference?.tag === undefined || reference.digest !== undefined ? [] : [reference.familiar]);
  }
  return [...chosen.values()];
}

function tagsOf(images: readonly StoredImage[], written: string): string[] {
  const { familiarName } = parseReference(written);
  return images.flatMap(({ names }) => names.filter((name) => parseReference(name).familiarName === familiarName));
}

async function* writing(
  tools: ImageTools,
  parts: readonly ArchivePart[],
  release: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* writeArchive(tools, parts);
  } finally {
    await release();
  }
}
