import { SampanError } from "../../errors/index.ts";
import { mediaTypes } from "../../registry/media-types.ts";
import type { Digest } from "../../storage/digest.ts";
import type { Blob } from "../download.ts";
import type { Hold } from "../garbage.ts";
import { documentLimit, type Index, type Manifest, parseConfig, parseDocument } from "../shapes.ts";
import type { ImageTools } from "../tools.ts";
import type { StoredImage } from "../types.ts";

/** A manifest or index as it is stored here, and as it goes to the registry. */
export interface PushedDocument {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

export interface PushedBlob extends Blob {
  /** Whose first digits people see; a config has none, and is not shown. */
  readonly shown: Digest | undefined;
}

/** What pushing an image comes to. */
export interface PushPlan {
  /** Bottom layers first, every blob once. */
  readonly blobs: readonly PushedBlob[];
  /** The manifests of an index; they go before it. */
  readonly children: readonly PushedDocument[];
  /** What the tag will stand for. */
  readonly root: PushedDocument;
  /** The index that the image came with, where only a part of it is here. */
  readonly partOf: PushedDocument | undefined;
}

/** What pushing an image comes to, held. */
export async function planPush(
  tools: ImageTools,
  hold: Hold,
  image: StoredImage,
  target: Digest | undefined,
): Promise<PushPlan> {
  await tools.garbage.add(hold, tools.records.blobsOf(image.id));
  const plan = await readPlan(tools, image, target);
  const others = [...plan.children, ...plan.blobs].map(({ digest }) => digest);
  await tools.garbage.add(hold, others);
  // Another image of the index may have been removed before it was held.
  return others.every((digest) => tools.content.has(digest)) ? plan : await readPlan(tools, image, target);
}

/**
 * The image's manifest with its blobs; or the whole index that it came with, when all of that is here. `target`: the manifest
 * or index that is meant.
 */
export async function readPlan(tools: ImageTools, image: StoredImage, target: Digest | undefined): Promise<PushPlan> {
  const row = tools.records.manifestOf(image.id);
  if (row === undefined) throw new SampanError("not-found", `No such image: ${image.id}`);
  const single = await describeManifest(tools, row.digest, row.mediaType);
  if (target === row.digest) return { blobs: single.blobs, children: [], root: single.document, partOf: undefined };
  let partOf: PushedDocument | undefined;
  for (const index of await indexesOf(tools, image, single)) {
    if (target !== undefined && index.document.digest !== target) continue;
    const whole = await describeIndex(tools, index.content);
    if (whole !== undefined) return { ...whole, root: index.document, partOf: undefined };
    partOf = index.document;
  }
  return { blobs: single.blobs, children: [], root: single.document, partOf };
}

interface DescribedManifest {
  readonly document: PushedDocument;
  readonly manifest: Manifest;
  readonly blobs: readonly PushedBlob[];
}

async function describeManifest(
  { content }: Pick<ImageTools, "content">,
  digest: Digest,
  mediaType: string,
): Promise<DescribedManifest> {
  const bytes = await content.readSmall(digest, documentLimit);
  const document = parseDocument(bytes, digest, mediaType);
  if (document.kind === "index") throw new SampanError("unsupported", `Cannot push ${digest}: an index in an index`);
  const { manifest } = document;
  const diffIds = await diffIdsOf(content, manifest);
  const layers = manifest.layers.map((layer, i) => ({ ...layer, shown: diffIds[i] ?? layer.digest }));
  const all = [...layers, { ...manifest.config, shown: undefined }];
  return { document: { digest, mediaType: manifest.mediaType || mediaType, bytes }, manifest, blobs: once(all) };
}

/** Of a config that is no image's, as that of an attestation, none. */
async function diffIdsOf(content: ImageTools["content"], { config }: Manifest): Promise<readonly Digest[]> {
  const bytes = await content.readSmall(config.digest, documentLimit);
  try {
    return parseConfig(bytes, config.digest).rootfs.diff_ids;
  } catch {
    return [];
  }
}

interface StoredIndex {
  readonly document: PushedDocument;
  readonly content: Index;
}

/** The indexes among an image's blobs that lead to its manifest. */
async function indexesOf({ content, records }: ImageTools, image: StoredImage, single: DescribedManifest) {
  const found: StoredIndex[] = [];
  const known = new Set([single.document.digest, ...single.blobs.map(({ digest }) => digest)]);
  for (const digest of records.blobsOf(image.id).filter((blob) => !known.has(blob))) {
    const bytes = await content.readSmall(digest, documentLimit).catch(() => undefined);
    const index = bytes && readIndex(bytes, digest);
    if (bytes === undefined || !index?.manifests.some((entry) => entry.digest === single.document.digest)) continue;
    found.push({ document: { digest, mediaType: index.mediaType ?? mediaTypes.ociIndex, bytes }, content: index });
  }
  return found;
}

/** undefined for what is something else: layers of another manifest of the same image. */
function readIndex(bytes: Buffer, digest: Digest): Index | undefined {
  try {
    const document = parseDocument(bytes, digest);
    return document.kind === "index" ? document.index : undefined;
  } catch {
    return undefined;
  }
}

/** Everything that an index leads to; undefined when a part of it is not here. */
async function describeIndex(
  tools: ImageTools,
  index: Index,
): Promise<Pick<PushPlan, "blobs" | "children"> | undefined> {
  const { content } = tools;
  const children: DescribedManifest[] = [];
  for (const { digest, mediaType } of index.manifests) {
    if (!content.has(digest)) return undefined;
    const document = parseDocument(await content.readSmall(digest, documentLimit), digest, mediaType);
    if (document.kind === "index") return undefined;
    const needed = [document.manifest.config, ...document.manifest.layers].map((blob) => blob.digest);
    if (!needed.every((blob) => content.has(blob))) return undefined;
    children.push(await describeManifest(tools, digest, mediaType));
  }
  const blobs = once(children.flatMap((child) => child.blobs));
  return { blobs, children: children.map(({ document }) => document) };
}

function once(blobs: readonly PushedBlob[]): PushedBlob[] {
  return [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
}
