import { createHash } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { SampanError } from "../../errors/index.ts";
import { algorithmOf, type Digest, digestOf, isDigest } from "../digest.ts";
import { storageError } from "./errors.ts";
import { blobPath, Ingest, ingestPath, isPassing, passing, syncDirectory } from "./ingest.ts";

/** One entry of index.json (OCI image spec, descriptor.md). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * Immutable blobs by digest in an OCI image layout directory (OCI image-layout.md, 1.0.0) that other tools can read.
 *
 *     ingest(ref) → write, write, … → commit(size, digest) → immutable → sync(digests) → durable
 *
 * Nothing partial is ever below `blobs/`; half-written blobs are below `ingest/`, which the specification ignores.
 */
export class ContentStore {
  readonly directory: string;
  readonly #ingests: string;
  #index: Promise<void> = Promise.resolve();

  /** Opens the layout in `directory` and makes it if it is not there. */
  constructor(directory: string) {
    this.directory = directory;
    this.#ingests = join(directory, "ingest");
    try {
      mkdirSync(join(directory, "blobs", "sha256"), { recursive: true, mode: 0o700 });
      mkdirSync(this.#ingests, { recursive: true, mode: 0o700 });
      mark(join(directory, "oci-layout"));
    } catch (cause) {
      throw storageError(`make the content store ${directory}`, cause);
    }
  }

  /** Where the blob is or would be. */
  pathOf(digest: Digest): string {
    return blobPath(this.directory, digest);
  }

  has(digest: Digest): boolean {
    return existsSync(this.pathOf(digest));
  }

  /** Bytes; an error of kind "not-found" when the blob is not here. */
  async sizeOf(digest: Digest): Promise<number> {
    try {
      return (await stat(this.pathOf(digest))).size;
    } catch (cause) {
      throw missing(digest, cause);
    }
  }

  /** Bytes of the blob, or of what an ingest has left of it; 0 when nothing of it is here. */
  storedSize(digest: Digest): number {
    const paths = [this.pathOf(digest), ingestPath(this.#ingests, digest)];
    return paths.map((path) => statSync(path, { throwIfNoEntry: false })?.size).find((size) => size !== undefined) ?? 0;
  }

  /** The whole blob, verified again; an error when it is larger than `limit` bytes. For manifests and configs. */
  async readSmall(digest: Digest, limit: number): Promise<Buffer> {
    const size = await this.sizeOf(digest);
    if (size > limit) throw new SampanError("invalid", `Cannot read blob ${digest}: ${size} bytes, at most ${limit}`);
    const bytes = await readFile(this.pathOf(digest));
    if (digestOf(bytes, algorithmOf(digest)) !== digest) {
      throw new SampanError("internal", `Cannot use blob ${digest}: the file ${this.pathOf(digest)} has been changed`);
    }
    return bytes;
  }

  /** The blob's bytes as they are stored. */
  read(digest: Digest): AsyncIterable<Uint8Array> {
    return createReadStream(this.pathOf(digest), { highWaterMark: 512 * 1024 });
  }

  /** Whether the blob's bytes are still those that were stored. */
  async isIntact(digest: Digest): Promise<boolean> {
    const hash = createHash(algorithmOf(digest));
    for await (const piece of this.read(digest)) hash.update(piece);
    return `${algorithmOf(digest)}:${hash.digest("hex")}` === digest;
  }

  /**
   * Makes blobs durable. Once for all blobs of an image, before anything durable names them: what was written meanwhile
   * by a `syncfs` for the image's layers costs nothing here, and the rest goes to disk together.
   */
  async sync(digests: readonly Digest[]): Promise<void> {
    const paths = digests.map((digest) => this.pathOf(digest));
    try {
      await Promise.all(paths.map(syncFile));
      await Promise.all([...new Set(paths.map(dirname))].map(syncDirectory));
    } catch (cause) {
      throw storageError(`store blobs in ${this.directory}`, cause);
    }
  }

  /** Starts, or continues, writing the blob that `ref` stands for. At most one ingest of a ref at a time. */
  ingest(ref: string, algorithm?: string): Promise<Ingest> {
    return Ingest.open(ingestPath(this.#ingests, ref), algorithm);
  }

  /** Verifies and keeps what was ingested, unless the blob is here already. */
  async commit(ingest: Ingest, size: number, digest: Digest): Promise<void> {
    if (this.has(digest)) {
      ingest.verify(size, digest);
      return await ingest.discard();
    }
    await ingest.commit(this.pathOf(digest), size, digest);
  }

  /** Deletes what an ended ingest of `ref` has left for the next. */
  async forget(ref: string): Promise<void> {
    await rm(ingestPath(this.#ingests, ref), { force: true });
  }

  /** Stores bytes that are in memory; returns their digest. */
  async put(bytes: Uint8Array, algorithm = "sha256"): Promise<Digest> {
    const digest = digestOf(bytes, algorithm);
    if (this.has(digest)) return digest;
    const ingest = await this.ingest(passing("put"), algorithm);
    try {
      await ingest.write(bytes);
      await this.commit(ingest, bytes.byteLength, digest);
    } catch (error) {
      await ingest.discard();
      throw error;
    }
    return digest;
  }

  async remove(digest: Digest): Promise<void> {
    await rm(this.pathOf(digest), { force: true });
  }

  /** All blobs. */
  list(): Digest[] {
    const root = join(this.directory, "blobs");
    return readdirSync(root).flatMap((algorithm) =>
      readdirSync(join(root, algorithm))
        .map((hex) => `${algorithm}:${hex}`)
        .filter(isDigest),
    );
  }

  /** Deletes half-written blobs that nobody has written to for `age` ms, or can continue. Only while no ingest is open. */
  async sweepIngests(age: number): Promise<void> {
    for (const name of readdirSync(this.#ingests)) {
      const path = join(this.#ingests, name);
      if (isPassing(name) || Date.now() - statSync(path).mtimeMs >= age) await rm(path, { force: true });
    }
  }

  /** Replaces index.json atomically. Calls are carried out in order. Whoever opens the store writes it again. */
  writeIndex(manifests: readonly Descriptor[]): Promise<void> {
    const write = this.#index.then(() => this.#replaceIndex(manifests));
    this.#index = write.catch(() => undefined);
    return write;
  }

  async #replaceIndex(manifests: readonly Descriptor[]): Promise<void> {
    const mediaType = "application/vnd.oci.image.index.v1+json";
    const text = JSON.stringify({ schemaVersion: 2, mediaType, manifests });
    const path = join(this.directory, "index.json");
    const old = await readFile(path, "utf8").catch(() => undefined);
    if (old === text) return;
    try {
      await writeFile(`${path}.new`, text);
      await rename(`${path}.new`, path);
    } catch (cause) {
      throw storageError(`write ${path}`, cause);
    }
  }
}

/** Says what the directory is; a loss of power may have left an empty file. */
function mark(path: string): void {
  const text = JSON.stringify({ imageLayoutVersion: "1.0.0" });
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileSync(path, text);
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path);
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}

function missing(digest: Digest, cause: unknown): SampanError {
  return new SampanError("not-found", `Cannot read blob ${digest}: it is not in the content store`, { cause });
}
