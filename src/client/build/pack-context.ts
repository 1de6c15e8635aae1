import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type Stats,
} from "node:fs";
import { type Matched, PatternMatcher } from "../../build/ignore/index.ts";
import { SampanError } from "../../errors/index.ts";
import type { TarEntry } from "../../storage/tar/entry.ts";
import { tarEnd, tarHeader, tarPadding } from "../../storage/tar/writer.ts";

/** A directory as a build's context. */
export interface ContextDirectory {
  readonly path: string;
  readonly ignore: PatternMatcher;
  /** Files that are sent even when they are ignored, because the daemon reads them: the Dockerfile. */
  readonly always: ReadonlySet<string>;
  /** Put before every name: "" for the context itself. */
  readonly prefix: string;
}

/** How much is collected before it is sent. */
const piece = 256 * 1024;

/** A file that is in no directory. */
export interface LooseFile {
  readonly name: string;
  readonly content: Uint8Array;
}

/**
 * A tar archive of directories and loose files, in pieces. Everything belongs to root, as Docker sends it; sockets are
 * left out; names are bytes, whatever they mean. Files are read synchronously, because that is four times faster for the
 * many small ones, and nothing else happens in a process that sends a context.
 */
export async function* packContext(
  directories: readonly ContextDirectory[],
  loose: readonly LooseFile[],
): AsyncGenerator<Uint8Array> {
  let pending: Uint8Array[] = [];
  let size = 0;
  for (const chunk of chunks(directories, loose)) {
    pending.push(chunk);
    size += chunk.length;
    if (size < piece) continue;
    yield Buffer.concat(pending);
    pending = [];
    size = 0;
  }
  yield Buffer.concat([...pending, tarEnd]);
}

function* chunks(directories: readonly ContextDirectory[], loose: readonly LooseFile[]): Generator<Uint8Array> {
  for (const { name, content } of loose) {
    const mtime = { seconds: 0, nanoseconds: 0 };
    yield tarHeader({ ...blank, type: "file", name: bytesOf(name), mode: 0o644, mtime, size: content.length });
    yield content;
    yield Buffer.alloc(tarPadding(content.length));
  }
  for (const directory of directories) yield* new Walk(directory).entries("", []);
}

const blank = { linkName: "", uid: 0, gid: 0, size: 0, major: 0, minor: 0, xattrs: [], sparse: false } as const;

/** Text as a byte string: one character a byte. */
function bytesOf(text: string): string {
  return Buffer.from(text).toString("latin1");
}

/** One walk through one directory. Names are byte strings. */
class Walk {
  readonly #directory: ContextDirectory;
  readonly #root: Buffer;
  readonly #prefix: string;
  /** The first name of files that have several. */
  readonly #linked = new Map<string, string>();
  /** Headers of ignored directories that are only sent when something in them is. */
  #held: (() => Uint8Array)[] = [];

  constructor(directory: ContextDirectory) {
    this.#directory = directory;
    this.#root = Buffer.from(`${directory.path}/`);
    this.#prefix = bytesOf(directory.prefix);
  }

  *entries(directory: string, above: Matched): Generator<Uint8Array> {
    const { ignore, always } = this.#directory;
    for (const child of this.#list(directory)) {
      const name = directory === "" ? child : `${directory}/${child}`;
      const readable = Buffer.from(name, "latin1").toString();
      const { result: ignored, matched } = ignore.step(readable, above);
      const stat = this.#stat(name);
      if (stat === undefined) continue;
      if (!stat.isDirectory()) {
        if (!ignored || always.has(readable)) yield* this.#entry(name, stat);
        continue;
      }
      const mayHold = [...always].some((file) => file.startsWith(`${readable}/`));
      if (ignored && !mayHold && !ignore.mayMatchBelow(readable)) continue;
      yield* this.#directoryEntry(name, stat, { ignored, matched });
    }
  }

  *#directoryEntry(
    name: string,
    stat: Stats,
    { ignored, matched }: { readonly ignored: boolean; readonly matched: Matched },
  ): Generator<Uint8Array> {
    const header = () => this.#header(`${name}/`, "directory", stat);
    const before = this.#held;
    if (ignored) this.#held = [...before, header];
    else {
      yield* this.#release();
      yield header();
    }
    yield* this.entries(name, matched);
    // What is still held had nothing in it.
    if (ignored && this.#held.length > 0) this.#held = before;
  }

  *#release(): Generator<Uint8Array> {
    const held = this.#held;
    this.#held = [];
    for (const header of held) yield header();
  }

  *#entry(name: string, stat: Stats): Generator<Uint8Array> {
    if (stat.isSocket()) return;
    yield* this.#release();
    const inode = `${stat.dev}:${stat.ino}`;
    const first = stat.nlink > 1 ? this.#linked.get(inode) : undefined;
    if (first !== undefined) {
      yield this.#header(name, "hardlink", stat, { linkName: this.#prefix + first });
      return;
    }
    this.#linked.set(inode, name);
    if (stat.isSymbolicLink()) {
      const linkName = readlinkSync(this.#pathOf(name), "buffer").toString("latin1");
      yield this.#header(name, "symlink", stat, { linkName });
    } else if (stat.isFile()) yield* this.#file(name);
    else if (stat.isFIFO()) yield this.#header(name, "fifo", stat);
    else yield this.#header(name, stat.isBlockDevice() ? "block" : "character", stat);
  }

  *#file(name: string): Generator<Uint8Array> {
    const file = this.#attempt(name, (path) => openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW));
    try {
      const stat = fstatSync(file);
      yield this.#header(name, "file", stat, { size: stat.size });
      // No more and no less than was promised, should the file change meanwhile.
      for (let left = stat.size; left > 0; ) {
        const buffer = Buffer.allocUnsafe(Math.min(left, piece));
        const count = this.#attempt(name, () => readSync(file, buffer, 0, buffer.length, null));
        if (count === 0) buffer.fill(0);
        left -= count === 0 ? buffer.length : count;
        yield count === 0 ? buffer : buffer.subarray(0, count);
      }
      yield Buffer.alloc(tarPadding(stat.size));
    } finally {
      closeSync(file);
    }
  }

  #list(directory: string): string[] {
    const names = this.#attempt(directory, (path) => readdirSync(path, { encoding: "buffer" }));
    return names.map((name) => name.toString("latin1")).sort();
  }

  /** Undefined: it has gone since it was listed. */
  #stat(name: string): Stats | undefined {
    return this.#attempt(name, (path) => lstatSync(path, { throwIfNoEntry: false }));
  }

  #attempt<Result>(name: string, work: (path: Buffer) => Result): Result {
    try {
      return work(this.#pathOf(name));
    } catch (cause) {
      const { code = String(cause) } = cause as NodeJS.ErrnoException;
      const readable = Buffer.from(name, "latin1").toString() || this.#directory.path;
      const remedy = code === "EACCES" ? ", leave it out with .dockerignore or make it readable" : "";
      throw new SampanError("denied", `Cannot read ${readable} of the build context: ${code}${remedy}`, { cause });
    }
  }

  #pathOf(name: string): Buffer {
    return Buffer.concat([this.#root, Buffer.from(name, "latin1")]);
  }

  #header(name: string, type: TarEntry["type"], stat: Stats, more: Partial<TarEntry> = {}): Buffer {
    const { mode, rdev } = stat;
    const mtime = { seconds: Math.floor(stat.mtimeMs / 1000), nanoseconds: 0 };
    // dev_t of glibc: major in bits 8 to 19, minor below and above.
    const device = { major: Math.floor(rdev / 256) % 4096, minor: (rdev % 256) + Math.floor(rdev / 2 ** 20) * 256 };
    return tarHeader({ ...blank, type, mode: mode & 0o7777, mtime, ...device, ...more, name: this.#prefix + name });
  }
}

/** Nothing is left out. */
export const everything: PatternMatcher = new PatternMatcher([]);
