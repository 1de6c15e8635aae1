import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip, createZstdCompress } from "node:zlib";
import { cancelled } from "../../errors/cancel.ts";
import { mediaTypes } from "../../registry/media-types.ts";
import { type Digest, digestOf } from "../../storage/digest.ts";
import { decompressed, formatOf } from "../decompress.ts";
import type { Blob } from "../download.ts";
import type { Hold } from "../garbage.ts";
import { storeMadeBlob } from "../made-blob.ts";
import { shortId } from "../progress.ts";
import type { Descriptor } from "../shapes.ts";
import type { ImageTools } from "../tools.ts";
import type { Compression, PushOptions } from "../types.ts";
import type { PushedBlob, PushedDocument, PushPlan } from "./plan.ts";

const suffixes: Readonly<Record<Compression, string>> = { none: "", gzip: "+gzip", zstd: "+zstd" };
const chunkSize = 256 * 1024;

/** The parts of a manifest or index that change; all others stay as they are. */
type Json<T> = Record<string, unknown> & T;
type ManifestJson = Json<{ mediaType?: string; config: Descriptor; layers: Descriptor[] }>;
type IndexJson = Json<{ manifests: Descriptor[] }>;

/**
 * The plan with all layers compressed in another way, and manifests of the OCI's types that say so. What is made for that is
 * held, and of no use afterwards: the image that is here stays as it is.
 */
export async function recompress(
  tools: ImageTools,
  hold: Hold,
  plan: PushPlan,
  options: Pick<PushOptions, "progress" | "signal"> & { readonly compression: Compression },
): Promise<PushPlan> {
  const blobs = new Map<Digest, PushedBlob>(plan.blobs.map((blob) => [blob.digest, blob]));
  const layersOf = new Set<Digest>();
  const convert = async ({ bytes }: PushedDocument): Promise<PushedDocument> => {
    const manifest = JSON.parse(bytes.toString("utf8")) as ManifestJson;
    const converting = manifest.layers.map((layer) => convertLayer(tools, hold, blobs, layer, options));
    // What has failed gives the hold up: the others must have ended by then.
    await Promise.allSettled(converting);
    const layers = await Promise.all(converting);
    for (const { digest } of [manifest.config, ...layers]) layersOf.add(digest);
    const config = { ...manifest.config, mediaType: ociConfig(manifest.config.mediaType) };
    return documentOf({ ...manifest, mediaType: mediaTypes.ociManifest, config, layers }, mediaTypes.ociManifest);
  };
  const children = await inOrder(plan.children, convert);
  const root = plan.children.length === 0 ? await convert(plan.root) : indexOf(plan, children);
  return { ...plan, blobs: [...blobs.values()].filter(({ digest }) => layersOf.has(digest)), children, root };
}

/** One image after the other, its layers side by side: that is enough for all processors. */
async function inOrder<A, B>(all: readonly A[], work: (one: A) => Promise<B>): Promise<B[]> {
  const done: B[] = [];
  for (const one of all) done.push(await work(one));
  return done;
}

async function convertLayer(
  tools: ImageTools,
  hold: Hold,
  blobs: Map<Digest, PushedBlob>,
  layer: Descriptor,
  { compression, progress, signal }: Pick<PushOptions, "progress" | "signal"> & { readonly compression: Compression },
): Promise<Descriptor> {
  // An attestation is no archive.
  if (!/\.tar(?:$|[.+])/.test(layer.mediaType)) return layer;
  const mediaType = mediaTypes.ociLayer + suffixes[compression];
  if ((await storedFormat(tools, layer.digest)) === compression) return { ...layer, mediaType };
  const shown = blobs.get(layer.digest)?.shown ?? layer.digest;
  progress({ id: shortId(shown), status: "Compressing" });
  const blob = await storeCompressed(tools, hold, layer.digest, compression, signal);
  blobs.set(blob.digest, { ...blob, shown });
  return { ...withoutTold(layer), mediaType, ...blob };
}

/**
 * Annotations by which readers of eStargz and zstd:chunked find files inside a compressed layer: tables of contents, whose
 * places and digests are those of one compressed form and of no other.
 */
const ofCompressedForm = [
  /^containerd\.io\/snapshot\/stargz\//,
  /^io\.containers\.estargz\./,
  /^io\.github\.containers\.zstd-chunked\./,
];

/** The layer without what is said of the form that it had. */
function withoutTold({ annotations, ...layer }: Descriptor): Descriptor {
  const left = Object.entries(annotations ?? {}).filter(([name]) => !ofCompressedForm.some((one) => one.test(name)));
  return left.length === 0 ? layer : { ...layer, annotations: Object.fromEntries(left) };
}

async function storedFormat({ content }: ImageTools, digest: Digest): Promise<string> {
  const file = await open(content.pathOf(digest));
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(6), 0, 6, 0);
    return formatOf(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

async function storeCompressed(
  tools: ImageTools,
  hold: Hold,
  digest: Digest,
  compression: Compression,
  signal: AbortSignal | undefined,
): Promise<Blob> {
  return await storeMadeBlob(tools, hold, "recompress", async (write) => {
    const plain = decompressed(tools.content.read(digest), `layer ${digest}`);
    const writeAll = async (source: AsyncIterable<Uint8Array>) => {
      for await (const piece of source) {
        if (signal?.aborted) throw cancelled(signal);
        await write(piece);
      }
    };
    const stop = signal === undefined ? {} : { signal };
    if (compression === "none") return await writeAll(plain);
    const compressor = compression === "zstd" ? createZstdCompress({ chunkSize }) : createGzip({ chunkSize });
    await pipeline(Readable.from(plain, { objectMode: false }), compressor, writeAll, stop);
  });
}

/** The index with its entries' new digests. */
function indexOf({ root, children: before }: PushPlan, after: readonly PushedDocument[]): PushedDocument {
  const index = JSON.parse(root.bytes.toString("utf8")) as IndexJson;
  const manifests = index.manifests.map((entry) => {
    const document = after[before.findIndex(({ digest }) => digest === entry.digest)];
    if (document === undefined) return entry;
    return { ...entry, mediaType: document.mediaType, digest: document.digest, size: document.bytes.length };
  });
  return documentOf({ ...index, mediaType: mediaTypes.ociIndex, manifests }, mediaTypes.ociIndex);
}

function documentOf(value: object, mediaType: string): PushedDocument {
  const bytes = Buffer.from(JSON.stringify(value));
  return { digest: digestOf(bytes), mediaType, bytes };
}

function ociConfig(mediaType: string): string {
  return mediaType === mediaTypes.dockerConfig ? mediaTypes.ociConfig : mediaType;
}
