import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { cancelled } from "../../errors/cancel.ts";
import { SampanError } from "../../errors/index.ts";
import { storageError } from "../../storage/content/errors.ts";
import { writeAll } from "../../storage/content/ingest.ts";
import { entryName } from "../../storage/extract/names.ts";
import { readable, type TarEntry } from "../../storage/tar/entry.ts";
import { readTar, type TarReader } from "../../storage/tar/read.ts";
import { type ContextNode, impliedDirectory, nodeAt, now } from "./tree.ts";

/** Bytes of one read from the spool. */
const PIECE = 512 * 1024;
const zeros = Buffer.alloc(PIECE);

/**
 * A build context: the tree of a tar archive in memory, the contents of its files in one spool file that has no name any
 * more. Nothing is unpacked, so nothing in the archive can lead anywhere, and every content is hashed while it comes.
 */
export class SpooledContext implements AsyncDisposable {
  readonly root: ContextNode;
  readonly #file: FileHandle | Buffer;

  constructor(root: ContextNode, file: FileHandle | Buffer) {
    this.root = root;
    this.#file = file;
  }

  /** Takes something out of the top of the tree. */
  take(name: string): ContextNode | undefined {
    const node = this.root.children.get(name);
    this.root.children.delete(name);
    return node;
  }

  /** The same spool, seen from a directory in the tree. It ends with this one. */
  at(root: ContextNode): SpooledContext {
    return new SpooledContext(root, this.#file);
  }

  /** Content of a file, in pieces. */
  async *read({ at, stat }: ContextNode): AsyncGenerator<Buffer> {
    const file = this.#file;
    if (Buffer.isBuffer(file)) {
      yield file.subarray(at, at + stat.size);
      return;
    }
    for (let done = 0; done < stat.size; ) {
      const size = Math.min(PIECE, stat.size - done);
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(size), 0, size, at + done);
      if (bytesRead === 0)
        throw new SampanError("internal", "Cannot read the build context: its spool file is too short");
      yield buffer.subarray(0, bytesRead);
      done += bytesRead;
    }
  }

  /** Content of a small file; "invalid" when it is larger than `limit` bytes. */
  async text(node: ContextNode, limit: number, name: string): Promise<string> {
    if (node.stat.size > limit)
      throw new SampanError("invalid", `Cannot read ${name}: it is larger than ${limit} bytes`);
    const pieces = await Array.fromAsync(this.read(node));
    return Buffer.concat(pieces).toString();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!Buffer.isBuffer(this.#file)) await this.#file.close();
  }
}

/** Reads a context's tar archive to its end. `path`: where the spool file is made. */
export async function spoolContext(
  tar: AsyncIterable<Uint8Array>,
  path: string,
  signal: AbortSignal,
): Promise<SpooledContext> {
  const file = await open(path, "wx+", 0o600).catch((cause) => {
    throw storageError(`spool the build context to ${path}`, cause);
  });
  try {
    await unlink(path);
    const spooler = new Spooler(file, signal);
    await readTar(stoppable(tar, signal), spooler);
    await spooler.flush();
    return new SpooledContext(spooler.root, file);
  } catch (error) {
    await file.close();
    throw storageError("receive the build context", error);
  }
}

async function* stoppable(source: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    if (signal.aborted) throw cancelled(signal);
    yield chunk;
  }
}

class Spooler implements TarReader {
  readonly root = impliedDirectory(now());
  readonly #file: FileHandle;
  readonly #signal: AbortSignal;
  /** Where the next file's content begins. */
  #end = 0;
  /** Not yet written: bytes that follow each other in the file. */
  #pending: Buffer[] = [];
  #pendingAt = 0;
  #pendingSize = 0;
  #entry: { readonly entry: TarEntry; readonly hash: Hash; readonly at: number; written: number } | undefined;

  constructor(file: FileHandle, signal: AbortSignal) {
    this.#file = file;
    this.#signal = signal;
  }

  entry(entry: TarEntry): void {
    if (entry.type !== "file") {
      this.#put(entry, "", 0);
      return;
    }
    this.#entry = { entry, hash: createHash("sha256"), at: this.#end, written: 0 };
    this.#end += entry.size;
  }

  async data(bytes: Buffer, offset: number): Promise<void> {
    if (this.#entry === undefined) return;
    await this.#zeros(offset);
    this.#entry.hash.update(bytes);
    this.#entry.written = offset + bytes.length;
    await this.#write(bytes, this.#entry.at + offset);
  }

  async end(): Promise<void> {
    if (this.#entry === undefined) return;
    const { entry, hash, at } = this.#entry;
    await this.#zeros(entry.size);
    this.#put(entry, hash.digest("hex"), at);
    this.#entry = undefined;
  }

  /** What was told is all in the file afterwards; a hole at its end is read as zeros. */
  async flush(): Promise<void> {
    const bytes = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingSize = 0;
    await writeAll(this.#file, bytes, this.#pendingAt);
    await this.#file.truncate(this.#end);
  }

  /** Small files are written together. */
  async #write(bytes: Buffer, at: number): Promise<void> {
    if (at !== this.#pendingAt + this.#pendingSize || this.#pendingSize + bytes.length > PIECE) {
      await this.flush();
      this.#pendingAt = at;
    }
    this.#pending.push(Buffer.from(bytes));
    this.#pendingSize += bytes.length;
  }

  /** A hole counts as the zeros that it stands for. It may be of any size: others have their turn meanwhile. */
  async #zeros(until: number): Promise<void> {
    const entry = this.#entry;
    while (entry !== undefined && entry.written < until) {
      const size = Math.min(PIECE, until - entry.written);
      entry.hash.update(zeros.subarray(0, size));
      entry.written += size;
      if (size < PIECE) continue;
      await setImmediate();
      if (this.#signal.aborted) throw cancelled(this.#signal);
    }
  }

  #put(entry: TarEntry, digest: string, at: number): void {
    const name = entryName(entry.name);
    const { name: _name, sparse: _sparse, ...stat } = entry;
    if (name === "") return;
    const slash = name.lastIndexOf("/");
    const parent = this.#directory(name.slice(0, Math.max(slash, 0)), entry);
    const base = name.slice(slash + 1);
    const children = entry.type === "directory" ? parent.children.get(base)?.children : undefined;
    if (entry.type !== "hardlink") {
      parent.children.set(base, { stat, digest, at, children: children ?? new Map() });
      return;
    }
    const target = nodeAt(this.root, entryName(entry.linkName, "hardlink target"));
    if (target === undefined || target.stat.type === "directory") {
      throw new SampanError("invalid", `Cannot link ${readable(name)} to ${readable(entry.linkName)}: no such file`);
    }
    parent.children.set(base, target);
  }

  #directory(path: string, { mtime }: TarEntry): ContextNode {
    let node = this.root;
    for (const name of path.split("/").filter(Boolean)) {
      let next = node.children.get(name);
      if (next?.stat.type !== "directory") {
        next = impliedDirectory(mtime);
        node.children.set(name, next);
      }
      node = next;
    }
    return node;
  }
}
