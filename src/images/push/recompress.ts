import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { isDeepStrictEqual } from "node:util";
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
type ManifestJson = Json<{ mediaType?: string; config: Descriptor; layers: Descriptor[]; subject?: Descriptor }>;
type IndexJson = Json<{ manifests: Descriptor[] }>;

/** One push whose layers become others. */
interface Conversion extends Pick<PushOptions, "progress" | "signal"> {
  readonly tools: ImageTools;
  readonly hold: Hold;
  readonly compression: Compression;
  /** All that is known to push, by digest. */
  readonly blobs: Map<Digest, PushedBlob>;
  /** What has been compressed, by the digest of before: images of an index have layers in common. */
  readonly made: Map<Digest, Promise<Blob>>;
  /** Documents by the digest that they had: others name them. */
  readonly documents: Map<string, PushedDocument>;
}

/**
 * The plan with all layers compressed in another way, and manifests of the OCI's types that say so; those of which all layers
 * are compressed that way already stay what they are. What is made for that is held, and of no use afterwards: the image that
 * is here stays as it is.
 */
export async function recompress(
  tools: ImageTools,
  hold: Hold,
  plan: PushPlan,
  options: Pick<PushOptions, "progress" | "signal"> & { readonly compression: Compression },
): Promise<PushPlan> {
  const blobs = new Map<Digest, PushedBlob>(plan.blobs.map((blob) => [blob.digest, blob]));
  const { compression, progress, signal } = options;
  const how: Conversion = { compression, progress, signal, tools, hold, blobs, made: new Map(), documents: new Map() };
  const needed = new Set<Digest>();
  const convert = async (document: PushedDocument): Promise<PushedDocument> => {
    const { converted, digests } = await convertManifest(document, how);
    for (const digest of digests) needed.add(digest);
    how.documents.set(document.digest, converted);
    return converted;
  };
  const children = await inOrder(plan.children, convert);
  const root = plan.children.length === 0 ? await convert(plan.root) : indexOf(plan.root, how);
  return { ...plan, blobs: [...blobs.values()].filter(({ digest }) => needed.has(digest)), children, root };
}

/** One image after the other, its layers side by side: that is enough for all processors. */
async function inOrder<A, B>(all: readonly A[], work: (one: A) => Promise<B>): Promise<B[]> {
  const done: B[] = [];
  for (const one of all) done.push(await work(one));
  return done;
}

async function convertManifest(document: PushedDocument, how: Conversion) {
  const manifest = JSON.parse(document.bytes.toString("utf8")) as ManifestJson;
  const converting = manifest.layers.map((layer) => convertLayer(layer, how));
  // What has failed gives the hold up: the others must have ended by then.
  await Promise.allSettled(converting);
  const layers = await Promise.all(converting);
  const digests = [manifest.config, ...layers].map(({ digest }) => digest);
  const subject = manifest.subject && renamed(manifest.subject, how);
  const isSame = manifest.layers.every(
    (layer, i) => layer.digest === layers[i]?.digest && says(layer, how.compression),
  );
  if (isSame && isDeepStrictEqual(subject, manifest.subject)) return { converted: document, digests };
  const config = { ...manifest.config, mediaType: ociConfig(manifest.config.mediaType) };
  const parts = { mediaType: mediaTypes.ociManifest, config, layers, ...(subject && { subject }) };
  return { converted: documentOf({ ...manifest, ...parts }, mediaTypes.ociManifest), digests };
}

function isArchive(mediaType: string): boolean {
  return /\.tar(?:$|[.+])/.test(mediaType);
}

async function convertLayer(layer: Descriptor, how: Conversion): Promise<Descriptor> {
  // An attestation is no archive.
  if (!isArchive(layer.mediaType)) return layer;
  const { tools, compression, blobs, made, progress } = how;
  const mediaType = mediaTypes.ociLayer + suffixes[compression];
  if ((await storedFormat(tools, layer.digest)) === compression) return { ...layer, mediaType };
  const shown = blobs.get(layer.digest)?.shown ?? layer.digest;
  let making = made.get(layer.digest);
  if (making === undefined) {
    progress({ id: shortId(shown), status: "Compressing" });
    making = storeCompressed(layer.digest, how);
    made.set(layer.digest, making);
  }
  const blob = await making;
  blobs.set(blob.digest, { ...blob, shown });
  return { ...withoutTold(layer), mediaType, ...blob };
}

/** Whether a layer's type says that it is compressed that way, or that it is none. */
function says({ mediaType }: Descriptor, compression: Compression): boolean {
  if (!isArchive(mediaType) || mediaType === mediaTypes.ociLayer + suffixes[compression]) return true;
  return compression !== "zstd" && mediaType === mediaTypes.dockerLayer + (compression === "gzip" ? ".gzip" : "");
}

/**
 * Annotations by which readers of eStargz and zstd:chunked find files inside a compressed layer: tables of contents, whose
 * places and digests are those of one compressed form and of no other.
 */
const ofCompressedForm = [
  /^containerd\.io\/snapshot\/stargz\//,
  /^io\.containers\.estargz\./,
  /^io\.github\.containers\.zstd-chunked\./,
  /^dev\.sampan\.layer\./,
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

async function storeCompressed(digest: Digest, { tools, hold, compression, signal }: Conversion): Promise<Blob> {
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

/** The index with its entries' new digests, also where one says whose attestation it is. */
function indexOf(root: PushedDocument, how: Conversion): PushedDocument {
  const index = JSON.parse(root.bytes.toString("utf8")) as IndexJson;
  const manifests = index.manifests.map((entry) => {
    const { annotations, ...own } = renamed(entry, how);
    const subject = annotations?.[attested];
    const now = subject === undefined ? undefined : how.documents.get(subject)?.digest;
    if (annotations === undefined) return own;
    return { ...own, annotations: now === undefined ? annotations : { ...annotations, [attested]: now } };
  });
  if (isDeepStrictEqual(manifests, index.manifests)) return root;
  return documentOf({ ...index, mediaType: mediaTypes.ociIndex, manifests }, mediaTypes.ociIndex);
}

/** BuildKit's annotation of an attestation's entry: the digest of the manifest that it is about. */
const attested = "vnd.docker.reference.digest";

/** What a descriptor of a document that has become another one says now. */
function renamed(descriptor: Descriptor, { documents }: Conversion): Descriptor {
  const now = documents.get(descriptor.digest);
  if (now === undefined) return descriptor;
  return { ...descriptor, mediaType: now.mediaType, digest: now.digest, size: now.bytes.length };
}

function documentOf(value: object, mediaType: string): PushedDocument {
  const bytes = Buffer.from(JSON.stringify(value));
  return { digest: digestOf(bytes), mediaType, bytes };
}

function ociConfig(mediaType: string): string {
  return mediaType === mediaTypes.dockerConfig ? mediaTypes.ociConfig : mediaType;
}
