import * as flags from "../../kernel/flags.ts";
import type { TarEntry } from "../tar/entry.ts";
import { tarEnd, tarHeader, tarPadding } from "../tar/writer.ts";
import { type Copied, isCopied } from "./pieces.ts";
import { ARCHIVE_FD, LOOK, reopen, type Stat, type TreeReader } from "./tree-reader.ts";

export interface PackOptions {
  /** Where to start, relative to the session's directory; "" is that directory itself. */
  readonly from: string;
  /** The name of `from` in the archive, without a "/" behind it; "" puts what is in it at the top. */
  readonly as: string;
  /** Whether `from` has an entry of its own. */
  readonly withTop: boolean;
  /** Whether what is mounted at a name is archived, too; else directories are empty there, and files. */
  entersMount(name: string): boolean;
  /** The tree is overlayfs's upper directory: what it hides becomes the marker files of an image's layer. */
  readonly isUpper: boolean;
  /** Seconds since 1970: whatever is newer is archived as if it were from then. */
  readonly latest?: number | undefined;
  /** More follows: the end of the archive is left out. */
  readonly continues?: boolean;
}

/** Data that one program reads at most. */
const DATA = 512 * 1024;
/** The archive is handed on in pieces of about this size. */
const PIECE = 128 * 1024;
/** Data that one program copies at most: the others of the session wait meanwhile. */
const COPY = 4 * 1024 * 1024;
/** A file's data is read by so many programs at a time. */
const AHEAD = 2;

/**
 * Writes a tree as a tar archive, as Docker does: names in the order of their bytes, hard links within the tree kept,
 * sockets left out. A file that shrinks meanwhile is filled with zeros, one that grows is cut off.
 */
export async function* packTree(reader: TreeReader, options: PackOptions): AsyncGenerator<Buffer> {
  for await (const piece of new Packer(reader, options, false).pieces()) if (!isCopied(piece)) yield piece;
}

/**
 * The same for an archive that goes to the file at `ARCHIVE_FD`, from its beginning: data of large files the kernel copies there,
 * at the place where it belongs. The pieces between are the caller's to write.
 */
export function packTreeInto(reader: TreeReader, options: PackOptions): AsyncGenerator<Buffer | Copied> {
  return new Packer(reader, options, true).pieces();
}

class Packer {
  readonly #reader: TreeReader;
  readonly #options: PackOptions;
  /** The first name, in the archive, of files with several. */
  readonly #linked = new Map<string, string>();
  readonly #copies: boolean;
  /** Bytes of the archive so far. */
  #offset = 0;

  constructor(reader: TreeReader, options: PackOptions, copies: boolean) {
    this.#reader = reader;
    this.#options = options;
    this.#copies = copies;
  }

  /** The whole archive, small pieces gathered. */
  async *pieces(): AsyncGenerator<Buffer | Copied> {
    let pieces: Buffer[] = [];
    let size = 0;
    for await (const piece of this.#run()) {
      this.#offset += isCopied(piece) ? piece.size : piece.length;
      if (!isCopied(piece)) {
        pieces.push(piece);
        size += piece.length;
      }
      if (size >= PIECE || (isCopied(piece) && size > 0)) {
        yield pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces);
        pieces = [];
        size = 0;
      }
      if (isCopied(piece)) yield piece;
    }
    yield Buffer.concat(this.#options.continues ? pieces : [...pieces, tarEnd]);
  }

  async *#run(): AsyncGenerator<Buffer | Copied> {
    const { from, withTop } = this.#options;
    const [stat] = await this.#reader.look([from]);
    if (stat === undefined) return;
    if ((stat.mode & flags.S_IFMT) === flags.S_IFDIR) yield* this.#directory(from, stat, withTop);
    else yield* this.#others([from], [stat]);
  }

  /** A directory that was looked at just now, at place 0. */
  async *#directory(name: string, stat: Stat, withEntry: boolean): AsyncGenerator<Buffer | Copied> {
    const { found, opaque } = await this.#xattrs(0, flags.O_RDONLY | flags.O_DIRECTORY);
    if (withEntry) yield this.#entry(this.#nameOf(name, "/"), "directory", stat, { xattrs: found });
    if (opaque) yield this.#entry(this.#nameOf(below(name, ".wh..wh..opq")), "file", { ...stat, mode: 0o600 });
    if (stat.isMount && name !== this.#options.from && !this.#options.entersMount(name)) return;
    let run: string[] = [];
    for (const { name: base, type } of await this.#reader.names(name)) {
      const path = below(name, base);
      if (type !== "directory") run.push(path);
      if (run.length === LOOK || (type === "directory" && run.length > 0)) {
        yield* this.#look(run);
        run = [];
      }
      if (type === "directory") yield* this.#look([path]);
    }
    if (run.length > 0) yield* this.#look(run);
  }

  async *#look(names: readonly string[]): AsyncGenerator<Buffer | Copied> {
    const stats = await this.#reader.look(names);
    const [only, stat] = [names[0] ?? "", stats[0]];
    if (names.length === 1 && stat && (stat.mode & flags.S_IFMT) === flags.S_IFDIR) {
      yield* this.#directory(only, stat, true);
      return;
    }
    yield* this.#others(names, stats);
    // Where the file system does not tell types in advance, and where something was replaced meanwhile.
    const directories = names.filter((_, index) => ((stats[index]?.mode ?? 0) & flags.S_IFMT) === flags.S_IFDIR);
    for (const name of directories) yield* this.#look([name]);
  }

  /** Everything but directories, of which `look` has been given these names. */
  async *#others(names: readonly string[], stats: readonly (Stat | undefined)[]): AsyncGenerator<Buffer | Copied> {
    for (let from = 0; from < names.length; ) {
      let to = from;
      for (let data = 0; to < names.length && (to === from || data < DATA); to++) data += dataOf(stats[to]);
      yield* this.#batch(names, stats, { from, to });
      from = to;
    }
  }

  async *#batch(
    names: readonly string[],
    stats: readonly (Stat | undefined)[],
    { from, to }: { readonly from: number; readonly to: number },
  ): AsyncGenerator<Buffer | Copied> {
    const p = this.#reader.program();
    const reads = [];
    for (let index = from; index < to; index++) {
      const stat = stats[index];
      if (stat !== undefined)
        reads.push({ index, stat, name: names[index] ?? "", read: this.#addRead(p, index, stat) });
    }
    const results = await this.#reader.session.run(p);
    for (const { index, stat, name, read } of reads) {
      const { link, names: xattrNames, data } = read(results);
      const header = await this.#header(name, stat, { index, link, xattrNames });
      if (header === undefined) continue;
      yield header.bytes;
      if (!header.hasData || stat.size === 0) continue;
      if (data !== undefined) yield* padded(stat.size, [data]);
      else yield* padded(stat.size, this.#copies ? this.#copy(index, stat.size) : this.#stream(index, stat.size));
    }
  }

  #addRead(p: ReturnType<TreeReader["program"]>, index: number, stat: Stat) {
    const format = stat.mode & flags.S_IFMT;
    if (format === flags.S_IFLNK) {
      const link = this.#reader.addLink(p, index);
      return (results: Results): Read => ({ link: link(results), names: [], data: undefined });
    }
    if (format !== flags.S_IFREG) return (): Read => ({ link: "", names: [], data: undefined });
    const fd = reopen(p, index, flags.O_RDONLY | flags.O_NONBLOCK);
    const names = this.#reader.addXattrNames(p, fd);
    const whole = stat.size <= DATA;
    const buffer = whole && stat.size > 0 ? p.buffer(stat.size) : undefined;
    const length = buffer && p.sys("pread64", [fd, buffer, stat.size, 0], { note: "read it" });
    p.call("close", [fd], { note: "close it" });
    return (results: Results): Read => {
      const data = buffer && length && results.bytes(buffer, results.value(length));
      return { link: "", names: names(results), data: whole ? (data ?? Buffer.alloc(0)) : undefined };
    };
  }

  /** The header of what is no directory; undefined when it has none. */
  async #header(
    name: string,
    stat: Stat,
    read: { readonly index: number; readonly link: string; readonly xattrNames: readonly string[] | undefined },
  ): Promise<{ readonly bytes: Buffer; readonly hasData: boolean } | undefined> {
    const type = typeOf(stat);
    if (type === undefined || type === "directory") return undefined;
    const { isUpper, entersMount, from } = this.#options;
    if (isUpper && type === "character" && stat.major === 0 && stat.minor === 0) {
      return { bytes: this.#entry(this.#nameOf(whiteout(name)), "file", { ...stat, mode: 0 }), hasData: false };
    }
    const inArchive = this.#nameOf(name);
    const first = stat.links > 1 ? this.#linked.get(stat.inode) : undefined;
    if (first !== undefined) {
      return { bytes: this.#entry(inArchive, "hardlink", stat, { linkName: first }), hasData: false };
    }
    if (stat.links > 1) this.#linked.set(stat.inode, inArchive);
    if (type === "file" && stat.isMount && name !== from && !entersMount(name)) {
      return { bytes: this.#entry(inArchive, "file", stat), hasData: false };
    }
    const names = wanted(read.xattrNames ?? ["security.capability"]);
    const xattrs = await this.#reader.xattrs(read.index, flags.O_RDONLY | flags.O_NONBLOCK, names);
    const size = type === "file" ? stat.size : 0;
    const bytes = this.#entry(inArchive, type, stat, { linkName: read.link, xattrs, size });
    return { bytes, hasData: type === "file" };
  }

  async #xattrs(index: number, how: number): Promise<{ found: TarEntry["xattrs"]; opaque: boolean }> {
    const p = this.#reader.program();
    const fd = reopen(p, index, how);
    const read = this.#reader.addXattrNames(p, fd);
    p.call("close", [fd], { note: "close it" });
    const names = read(await this.#reader.session.run(p)) ?? [opaqueXattr];
    const marked = this.#options.isUpper && names.includes(opaqueXattr) ? [opaqueXattr] : [];
    const all = await this.#reader.xattrs(index, how, [...wanted(names), ...marked]);
    const opaque = all.some(([name, value]) => name === opaqueXattr && value.toString() === "y");
    return { found: all.filter(([name]) => name !== opaqueXattr), opaque };
  }

  /** The data of a large file. */
  async *#stream(index: number, size: number): AsyncGenerator<Buffer> {
    const read = async (offset: number): Promise<Buffer> => {
      const p = this.#reader.program();
      const fd = reopen(p, index, flags.O_RDONLY | flags.O_NONBLOCK);
      const buffer = p.buffer(Math.min(DATA, size - offset));
      const length = p.sys("pread64", [fd, buffer, Math.min(DATA, size - offset), offset], { note: "read it" });
      p.call("close", [fd], { note: "close it" });
      const results = await this.#reader.session.run(p);
      return results.bytes(buffer, results.value(length));
    };
    const reading: Promise<Buffer>[] = [];
    for (let offset = 0; offset < size || reading.length > 0; ) {
      while (reading.length < AHEAD && offset < size) {
        const piece = read(offset);
        piece.catch(() => undefined);
        reading.push(piece);
        offset += DATA;
      }
      const piece = await reading.shift();
      if (piece === undefined || piece.length === 0) return;
      yield piece;
    }
  }

  /** The data of a large file, copied to the archive's file. Ends early when the file does. */
  async *#copy(index: number, size: number): AsyncGenerator<Copied> {
    const start = this.#offset;
    const copy = async (done: number): Promise<number> => {
      const p = this.#reader.program();
      const fd = reopen(p, index, flags.O_RDONLY | flags.O_NONBLOCK);
      const [from, to] = [p.words([done], "where it is read"), p.words([start + done], "where it is written")];
      const args = [fd, from, ARCHIVE_FD, to, Math.min(COPY, size - done), 0];
      const copied = p.sys("copy_file_range", args, { note: "copy it to the archive" });
      p.call("close", [fd], { note: "close it" });
      return (await this.#reader.session.run(p)).value(copied);
    };
    for (let done = 0, copying = copy(0); ; ) {
      const count = await copying;
      if (count === 0) return;
      const at = start + done;
      done += count;
      // The next is copied while this one is hashed.
      if (done < size) {
        copying = copy(done);
        copying.catch(() => undefined);
      }
      yield { at, size: count };
      if (done >= size) return;
    }
  }

  #entry(...[name, type, stat, more]: Parameters<typeof entryOf>): Buffer {
    const { latest } = this.#options;
    const { mtime } = stat;
    const newer = latest !== undefined && mtime.seconds >= latest;
    const dated = newer ? { ...stat, mtime: { seconds: latest, nanoseconds: 0 } } : stat;
    return tarHeader(entryOf(name, type, dated, more));
  }

  /** The name that something has in the archive. */
  #nameOf(name: string, end = ""): string {
    const { from, as } = this.#options;
    const rest = name === from ? "" : from === "" ? name : name.slice(from.length + 1);
    // What is at the root has a "/" in front: clients put another name there.
    if (rest === "") return as === "" ? "./" : as === "/" ? "/" : `${as}${end}`;
    return `${as === "" ? "" : as === "/" ? "/" : `${as}/`}${rest}${end}`;
  }
}

type Results = Awaited<ReturnType<TreeReader["session"]["run"]>>;

interface Read {
  readonly link: string;
  /** Of extended attributes; undefined: too many to tell. */
  readonly names: readonly string[] | undefined;
  /** undefined: it is to be streamed. */
  readonly data: Buffer | undefined;
}

const opaqueXattr = "trusted.overlay.opaque";

/** Attributes that belong to the file rather than to the machine it is on. */
function wanted(names: readonly string[]): string[] {
  return names.filter(
    (name) => name === "security.capability" || (name.startsWith("user.") && !name.startsWith("user.overlay.")),
  );
}

function below(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}

function whiteout(name: string): string {
  const slash = name.lastIndexOf("/") + 1;
  return `${name.slice(0, slash)}.wh.${name.slice(slash)}`;
}

function dataOf(stat: Stat | undefined): number {
  if (stat === undefined || (stat.mode & flags.S_IFMT) !== flags.S_IFREG) return 4096;
  return stat.size > DATA ? 0 : stat.size;
}

/** undefined for what no archive can hold: sockets. */
function typeOf({ mode }: Stat): TarEntry["type"] | undefined {
  switch (mode & flags.S_IFMT) {
    case flags.S_IFREG:
      return "file";
    case flags.S_IFDIR:
      return "directory";
    case flags.S_IFLNK:
      return "symlink";
    case flags.S_IFCHR:
      return "character";
    case flags.S_IFBLK:
      return "block";
    case flags.S_IFIFO:
      return "fifo";
    default:
      return undefined;
  }
}

function entryOf(name: string, type: TarEntry["type"], stat: Stat, more: Partial<TarEntry> = {}): TarEntry {
  const { uid, gid, mtime, major, minor } = stat;
  const mode = stat.mode & 0o7777;
  return { type, name, linkName: "", mode, uid, gid, size: 0, mtime, major, minor, xattrs: [], sparse: false, ...more };
}

/** Exactly `size` bytes of what comes, and what fills the last block. */
async function* padded(
  size: number,
  source: AsyncIterable<Buffer | Copied> | Iterable<Buffer>,
): AsyncGenerator<Buffer | Copied> {
  let left = size;
  for await (const piece of source) {
    const part = isCopied(piece) ? piece : piece.subarray(0, left);
    left -= isCopied(part) ? part.size : part.length;
    yield part;
  }
  for (; left > 0; left -= Math.min(left, DATA)) yield Buffer.alloc(Math.min(left, DATA));
  yield Buffer.alloc(tarPadding(size));
}
