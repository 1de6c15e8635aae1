import { createHash, type Hash, randomUUID } from "node:crypto";
import { constants, readSync } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { SampanError } from "../../errors/index.ts";
import { algorithmOf, type Digest, hexOf } from "../digest.ts";
import { storageError } from "./errors.ts";

/** The bytes were all there, but they are not the promised ones. */
export class VerificationError extends SampanError {
  constructor(message: string) {
    super("invalid", message);
  }
}

/** Pieces are gathered to this size before they are written: a registry sends 16 to 64 KiB at a time. */
const writeSize = 512 * 1024;

/** Of what others have written: small enough for the processor's cache, out of which it is hashed. */
const readSize = 256 * 1024;

/**
 * A blob on its way into the store. Bytes are appended and hashed; `commit` verifies them and only then makes them
 * visible. What was written survives `close`, so a later ingest of the same ref continues where it ended.
 */
export class Ingest {
  readonly path: string;
  /** Called whenever `visible` has grown. */
  onGrowth: () => void = () => undefined;
  readonly #algorithm: string;
  #hash: Hash;
  #file: FileHandle | undefined;
  #accepted = 0;
  #written = 0;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #fresh: Buffer | undefined;
  #failure: unknown;
  #tail: Promise<void> = Promise.resolve();

  private constructor(path: string, file: FileHandle, algorithm: string) {
    this.path = path;
    this.#file = file;
    this.#algorithm = algorithm;
    this.#hash = createHash(algorithm);
  }

  /** Opens the file of `ref`; what an earlier ingest of this ref has written is hashed and kept. */
  static async open(path: string, algorithm = "sha256"): Promise<Ingest> {
    try {
      const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
      const ingest = new Ingest(path, file, algorithm);
      await ingest.#rehash();
      return ingest;
    } catch (cause) {
      throw storageError(`open the ingest file ${path}`, cause);
    }
  }

  /** Bytes accepted so far. */
  get offset(): number {
    return this.#accepted;
  }

  /** Bytes that a reader of `path` can see. */
  get visible(): number {
    return this.#written;
  }

  /** Appends. Resolves when the bytes are accepted, which is late enough to hold back a fast sender. */
  async write(chunk: Uint8Array): Promise<void> {
    this.#hash.update(chunk);
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.byteLength;
    this.#accepted += chunk.byteLength;
    if (this.#pendingBytes < writeSize) return;
    // One write is on its way while the next piece gathers; a second full piece waits for the first.
    await this.#tail;
    if (this.#failure !== undefined) throw this.#failure;
    this.#tail = this.#writePending().catch((error) => {
      this.#failure = error;
    });
  }

  /** Somebody else has written the next `size` bytes to the file, behind all that was accepted: they are hashed. */
  async took(size: number): Promise<void> {
    await this.flush();
    try {
      this.#hashFresh(size);
    } catch (cause) {
      throw storageError(`read ${this.path}`, cause);
    }
    this.#accepted = this.#written;
    this.onGrowth();
  }

  /** Makes everything accepted so far visible to readers of `path`. */
  async flush(): Promise<void> {
    await this.#tail;
    if (this.#failure !== undefined) throw this.#failure;
    await this.#writePending();
  }

  /** The digest of everything accepted so far. */
  digest(): Digest {
    return `${this.#algorithm}:${this.#hash.copy().digest("hex")}` as Digest;
  }

  /** Forgets what was written. */
  async restart(): Promise<void> {
    await this.#tail;
    await this.#handle().truncate(0);
    this.#hash = createHash(this.#algorithm);
    this.#written = 0;
    this.#accepted = 0;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#failure = undefined;
  }

  /** Verifies size and digest and renames the file to `target`; the ingest is over then. Not yet durable. */
  async commit(target: string, size: number, digest: Digest): Promise<void> {
    this.verify(size, digest);
    try {
      await this.flush();
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      await rename(this.path, target);
    } catch (cause) {
      throw storageError(`store the blob ${digest}`, cause);
    }
    await this.close();
  }

  /** A VerificationError unless exactly the promised bytes were written. */
  verify(size: number, digest: Digest): void {
    if (this.offset !== size) {
      throw new VerificationError(`Cannot use blob ${digest}: ${this.offset} bytes came, its size is ${size}`);
    }
    if (algorithmOf(digest) !== this.#algorithm || this.digest() !== digest) {
      throw new VerificationError(`Cannot use blob ${digest}: the bytes that came have the digest ${this.digest()}`);
    }
  }

  /** Lets go of the file and keeps it, for a later ingest of the same ref. */
  async close(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    await this.flush().catch(() => undefined);
    this.#file = undefined;
    await file.close();
  }

  /** Lets go of the file and deletes it. */
  async discard(): Promise<void> {
    await this.#tail;
    this.#pending = [];
    this.#pendingBytes = 0;
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
    await rm(this.path, { force: true });
  }

  #handle(): FileHandle {
    if (this.#file === undefined) throw new SampanError("internal", `Cannot write to ${this.path}: it was closed`);
    return this.#file;
  }

  async #writePending(): Promise<void> {
    const pieces = this.#pending;
    const bytes = this.#pendingBytes;
    if (bytes === 0) return;
    this.#pending = [];
    this.#pendingBytes = 0;
    try {
      await writeAll(
        this.#handle(),
        pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces),
        this.#written,
      );
    } catch (cause) {
      throw storageError(`write ${this.path}`, cause);
    }
    this.#written += bytes;
    this.onGrowth();
  }

  async #rehash(): Promise<void> {
    const buffer = Buffer.allocUnsafe(writeSize);
    for (;;) {
      const { bytesRead } = await this.#handle().read(buffer, 0, buffer.length, this.#written);
      if (bytesRead === 0) break;
      this.#hash.update(buffer.subarray(0, bytesRead));
      this.#written += bytesRead;
    }
    this.#accepted = this.#written;
  }

  /** Hashes bytes that were written just now: they are in memory, and another thread would cost more than reading them. */
  #hashFresh(size: number): void {
    this.#fresh ??= Buffer.allocUnsafeSlow(readSize);
    for (let left = size; left > 0; ) {
      const read = readSync(this.#handle().fd, this.#fresh, 0, Math.min(readSize, left), this.#written);
      if (read === 0) throw new SampanError("internal", `${left} of the bytes that were written are not there`);
      this.#hash.update(this.#fresh.subarray(0, read));
      this.#written += read;
      left -= read;
    }
  }
}

/** Writes all bytes at an offset: one write(2) on a full disk may take a part only. */
export async function writeAll(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  let done = 0;
  while (done < bytes.byteLength) {
    done += (await file.write(bytes, done, bytes.byteLength - done, at + done)).bytesWritten;
  }
}

/** Makes a rename inside `directory` durable. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The name of a ref's file: the digest it is for, or any short word, made safe. */
export function ingestPath(directory: string, ref: string): string {
  return join(directory, ref.replaceAll(/[^A-Za-z0-9._-]/g, "-"));
}

/** A ref for what this process alone can write to its end: a crash leaves nothing that anybody could continue. */
export function passing(purpose: string): string {
  return `passing-${purpose}-${randomUUID()}`;
}

export function isPassing(ref: string): boolean {
  return ref.startsWith("passing-");
}

/** The final place of a blob inside an OCI image layout. */
export function blobPath(root: string, digest: Digest): string {
  return join(root, "blobs", algorithmOf(digest), hexOf(digest));
}
