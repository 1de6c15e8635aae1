import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { SampanError } from "../../errors/index.ts";
import type { BlobSource } from "../../images/download.ts";
import { type Descriptor, documentLimit, parseDocument } from "../../images/shapes.ts";
import { refName } from "../../registry/media-types.ts";
import { parseReference } from "../../registry/reference.ts";
import type { BlobPart } from "../../registry/repository.ts";
import { storageError } from "../../storage/content/errors.ts";
import { blobPath } from "../../storage/content/ingest.ts";
import { type Digest, isDigest } from "../../storage/digest.ts";
import type { WorkParts } from "../parts.ts";
import { readLentDocument, verified } from "./lent-document.ts";
import type { CacheSource, RegistryCredentials } from "./types.ts";

/** Where manifests and blobs can be had from. */
export interface CachePlace {
  /** The document that the source names. */
  root(): Promise<{ readonly bytes: Buffer; readonly mediaType: string }>;
  /** Another one, verified. */
  document(descriptor: Descriptor): Promise<Buffer>;
  manifest(descriptor: Descriptor): Promise<Buffer>;
  readonly blob: BlobSource;
}

/** How people are told of a source. */
export function nameOf(source: CacheSource): string {
  return source.type === "registry" ? source.reference : source.directory;
}

export async function openPlace(
  { tools }: Pick<WorkParts, "tools">,
  source: CacheSource,
  { auth, signal }: { readonly auth: RegistryCredentials; readonly signal: AbortSignal },
): Promise<CachePlace> {
  if (source.type === "local") return directoryPlace(source);
  if (source.type === "lent") return lentPlace(source, signal);
  const reference = parseReference(source.reference);
  const repository = await tools.registry.repository(reference, await auth(source.reference), signal);
  const version = reference.digest ?? reference.tag ?? "latest";
  return {
    root: () => repository.manifest(version, documentLimit, signal),
    document: ({ digest, size }) => repository.document(digest, size, documentLimit, signal),
    manifest: async ({ digest }) => (await repository.manifest(digest, documentLimit, signal)).bytes,
    blob: (digest, offset, stop) => repository.blob(digest, offset, stop),
  };
}

/** An OCI image layout; its entries are known by digest or by the annotation of a tag. */
function directoryPlace({ directory, version }: Extract<CacheSource, { type: "local" }>): CachePlace {
  const document = async (descriptor: Descriptor): Promise<Buffer> => {
    return verified(await read(blobPath(directory, descriptor.digest)), descriptor.digest, directory);
  };
  return {
    document,
    manifest: document,
    root: async () => {
      const index = parseDocument(await read(`${directory}/index.json`), `${directory}/index.json`);
      const entries = index.kind === "index" ? index.index.manifests : [];
      const entry = entries.find(({ digest, annotations }) => digest === version || annotations?.[refName] === version);
      if (entry === undefined) throw new SampanError("not-found", `${directory} has no ${version}`);
      return { bytes: await document(entry), mediaType: entry.mediaType };
    },
    blob: async (digest, offset): Promise<BlobPart> => {
      const path = blobPath(directory, digest);
      await sizeOf(path);
      return { offset, body: createReadStream(path, { start: offset }) };
    },
  };
}

/** A directory of the client's. */
function lentPlace(
  { directory, version, store }: Extract<CacheSource, { type: "lent" }>,
  signal: AbortSignal,
): CachePlace {
  const read = (digest: Digest) => readLentDocument({ store, name: directory }, digest, signal);
  const document = ({ digest }: Descriptor) => read(digest);
  return {
    document,
    manifest: document,
    root: async () => {
      if (!isDigest(version)) throw new SampanError("invalid", `Cannot use ${directory}: ${version} is no digest`);
      return { bytes: await read(version), mediaType: "" };
    },
    blob: async (digest, offset, stop): Promise<BlobPart> => ({ offset, body: await store.read(digest, offset, stop) }),
  };
}

async function read(path: string): Promise<Buffer> {
  const size = await sizeOf(path);
  if (size > documentLimit)
    throw new SampanError("invalid", `Cannot read ${path}: ${size} bytes, at most ${documentLimit}`);
  return await readFile(path);
}

/** Of a file: a layout holds nothing else that could be read. */
async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch((cause) => {
    if (cause.code === "ENOENT" || cause.code === "ENOTDIR") {
      throw new SampanError("not-found", `Cannot read ${path}: no such file`, { cause });
    }
    throw storageError(`read ${path}`, cause);
  });
  if (!found.isFile()) throw new SampanError("invalid", `Cannot read ${path}: it is no file`);
  return found.size;
}
