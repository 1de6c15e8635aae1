import { SampanError } from "../../errors/index.ts";
import { type EntryType, readable, type TarEntry, tarLimits } from "../../storage/tar/entry.ts";
import { partsBelow } from "../../storage/tar/names.ts";
import { tarHeader, tarPadding } from "../../storage/tar/writer.ts";
import type { Exchange } from "../grpc/client.ts";
import type { Received, Sent } from "../grpc/schema.ts";
import { Packet, packets, type Stat } from "./messages/session.ts";
import type { Session } from "./sessions.ts";

const method = "/moby.filesync.v1.FileSync/DiffCopy";

/** Files up to this size are asked for together, as many as `together` holds. Bytes. */
const small = 1024 * 1024;
const together = 4 * small;

/** Of these never so many that questions fill a window, while nobody reads answers: both sides would wait for each other. */
const questions = 256;

/** Which files of a client's directory are meant. */
export interface WantedFiles {
  /** What the client calls the directory. */
  readonly directory: string;
  /** Patterns, as in a .dockerignore, of files that are not. */
  readonly excludes?: readonly string[];
  /** Only these, and what the links on the way to them lead to. */
  readonly follow?: readonly string[];
}

interface Receiving {
  /** Where the files are in the archive; "" or a path that ends in a slash. */
  readonly prefix: string;
  readonly signal: AbortSignal;
  /** Told of the bytes that have come. */
  progress(bytes: number): void;
}

/**
 * Receives files from the client of a build, by fsutil's protocol: it tells about all of them in order, then their contents are asked
 * for by their number in that order. What comes out is the members of a tar archive, without an end; all belongs to root.
 */
export async function* receiveFiles(
  session: Session,
  wanted: WantedFiles,
  { prefix, signal, progress }: Receiving,
): AsyncGenerator<Buffer> {
  const options = { request: Packet, response: Packet };
  using exchange = session.client.open(method, options, metadataOf(wanted), signal);
  const receiver = new Receiver(exchange, prefix, progress);
  yield* receiver.describe();
  yield* receiver.contents();
  await exchange.send({ type: packets.end });
  await receiver.ended();
}

/** Names and patterns beyond ASCII are what Go's url.QueryEscape makes of them, and said to be so. */
function metadataOf({ directory, excludes, follow }: WantedFiles): Record<string, readonly string[]> {
  const all = { "dir-name": [directory], "exclude-patterns": excludes ?? [], followpaths: follow ?? [] };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, values]): [string, readonly string[]][] => {
      if (values.length === 0) return [];
      if (values.every((value) => /^[\x20-\x7e]*$/.test(value))) return [[name, values]];
      return [
        [name, values.map((value) => encodeURIComponent(value))],
        [`${name}-encoded`, ["1"]],
      ];
    }),
  );
}

type FileStat = Sent<typeof Stat>;

interface Described {
  /** Its number. */
  readonly id: number;
  readonly entry: TarEntry;
}

/** A content that has been asked for. */
interface Asked extends Described {
  pieces: Buffer[];
  size: number;
  done: boolean;
}

class Receiver {
  readonly #exchange: Exchange<typeof Packet, typeof Packet>;
  readonly #prefix: string;
  readonly #progress: (bytes: number) => void;
  readonly #files: Described[] = [];
  readonly #links: TarEntry[] = [];
  readonly #asked = new Map<number, Asked>();
  #bytes = 0;

  constructor(exchange: Exchange<typeof Packet, typeof Packet>, prefix: string, progress: (bytes: number) => void) {
    this.#exchange = exchange;
    this.#prefix = prefix;
    this.#progress = progress;
  }

  /** Everything that has no content. */
  async *describe(): AsyncGenerator<Buffer> {
    for (let id = 0; ; id++) {
      const { stat } = await this.#packet(packets.stat);
      if (stat === undefined) return;
      if (id >= tarLimits.entries) throw new SampanError("invalid", "Cannot receive the files: they are too many");
      const entry = entryOf(stat, this.#prefix);
      if (entry === undefined) continue;
      if (entry.type === "file") this.#files.push({ id, entry });
      else if (entry.type === "hardlink") this.#links.push(entry);
      else yield tarHeader(entry);
    }
  }

  /** The files, in order, and what is linked to them. */
  async *contents(): AsyncGenerator<Buffer> {
    let next = 0;
    let outstanding = 0;
    for (const { id, entry } of this.#files) {
      for (; next < this.#files.length; next++) {
        const file = this.#files[next];
        if (file === undefined || this.#asked.size >= questions) break;
        if (this.#asked.size > 0 && outstanding + file.entry.size > together) break;
        outstanding += file.entry.size;
        this.#asked.set(file.id, { ...file, pieces: [], size: 0, done: false });
        await this.#exchange.send({ type: packets.request, id: file.id });
      }
      const asked = this.#asked.get(id);
      if (asked === undefined) throw new SampanError("internal", "Cannot receive a file: it was not asked for");
      if (entry.size > small) yield* this.#large(asked);
      else yield* this.#small(asked);
      this.#asked.delete(id);
      outstanding -= entry.size;
    }
    for (const link of this.#links) yield tarHeader(link);
  }

  /** Reads until the client has nothing more to say. */
  async ended(): Promise<void> {
    for await (const packet of this.#exchange.messages) refuseError(packet);
  }

  /** Its size is what has come: a file may grow meanwhile. */
  async *#small(asked: Asked): AsyncGenerator<Buffer> {
    while (!asked.done) await this.#data();
    const size = asked.size;
    yield Buffer.concat([tarHeader({ ...asked.entry, size }), ...asked.pieces, Buffer.alloc(tarPadding(size))]);
  }

  async *#large(asked: Asked): AsyncGenerator<Buffer> {
    yield tarHeader(asked.entry);
    for (;;) {
      const { pieces, size, done } = asked;
      asked.pieces = [];
      if (size > asked.entry.size) throw changed(asked.entry);
      yield* pieces;
      if (done) break;
      await this.#data();
    }
    if (asked.size !== asked.entry.size) throw changed(asked.entry);
    yield Buffer.alloc(tarPadding(asked.size));
  }

  /** Takes the next piece of one of the contents that were asked for. */
  async #data(): Promise<void> {
    const { id, data } = await this.#packet(packets.data);
    const asked = this.#asked.get(id);
    if (asked === undefined || asked.done) {
      throw new SampanError("invalid", `Cannot receive the files: the client sent the content of number ${id} unasked`);
    }
    if (data.length === 0) asked.done = true;
    asked.pieces.push(data);
    asked.size += data.length;
    if (asked.entry.size <= small && asked.size > together) throw changed(asked.entry);
  }

  async #packet(type: number): Promise<Received<typeof Packet>> {
    const { value, done } = await this.#exchange.messages.next();
    if (done === true) throw new SampanError("invalid", "Cannot receive the files: the client has ended the transfer");
    refuseError(value);
    if (value.type !== type) {
      throw new SampanError("invalid", `Cannot receive the files: the client sent a packet of type ${value.type}`);
    }
    this.#bytes += value.data.length;
    if (value.data.length > 0) this.#progress(this.#bytes);
    return value;
  }
}

function refuseError({ type, data }: Received<typeof Packet>): void {
  if (type === packets.error) throw new SampanError("failed", `error from sender: ${data.toString()}`);
}

function changed({ name }: TarEntry): SampanError {
  return new SampanError("failed", `Cannot receive ${readable(name)}: it changed while it was sent`);
}

/** Bits of Go's os.FileMode. */
const goMode = {
  directory: 2 ** 31,
  symlink: 2 ** 27,
  device: 2 ** 26,
  fifo: 2 ** 25,
  socket: 2 ** 24,
  setuid: 2 ** 23,
  setgid: 2 ** 22,
  character: 2 ** 21,
  sticky: 2 ** 20,
  irregular: 2 ** 19,
} as const;

/** A file as a member of an archive; undefined for what is in none: sockets, and the directory itself. */
function entryOf(stat: FileStat, prefix: string): TarEntry | undefined {
  const { mode = 0, linkName = Buffer.alloc(0), modified = 0n } = stat;
  const type = typeOf(mode, linkName.length > 0);
  const path = pathOf(stat.path ?? Buffer.alloc(0));
  if (type === undefined || path === "") return undefined;
  const nanoseconds = Number(((modified % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n);
  const seconds = Number((modified - BigInt(nanoseconds)) / 1_000_000_000n);
  const has = (bit: number) => Math.floor(mode / bit) % 2 === 1;
  const special =
    (has(goMode.setuid) ? 0o4000 : 0) + (has(goMode.setgid) ? 0o2000 : 0) + (has(goMode.sticky) ? 0o1000 : 0);
  return {
    type,
    name: `${prefix}${path}${type === "directory" ? "/" : ""}`,
    linkName: type === "hardlink" ? `${prefix}${pathOf(linkName)}` : byteString(linkName),
    mode: special + (mode % 0o1000),
    ...{ uid: 0, gid: 0 },
    size: type === "file" ? sizeOf(stat) : 0,
    mtime: { seconds, nanoseconds },
    major: stat.major ?? 0,
    minor: stat.minor ?? 0,
    xattrs: [...(stat.xattrs ?? [])],
    sparse: false,
  };
}

function typeOf(mode: number, linked: boolean): EntryType | undefined {
  const has = (bit: number) => Math.floor(mode / bit) % 2 === 1;
  if (has(goMode.directory)) return "directory";
  if (has(goMode.symlink)) return "symlink";
  if (has(goMode.device)) return has(goMode.character) ? "character" : "block";
  if (has(goMode.fifo)) return "fifo";
  if (has(goMode.socket) || has(goMode.irregular)) return undefined;
  return linked ? "hardlink" : "file";
}

function sizeOf({ size = 0 }: FileStat): number {
  if (size >= 0 && size <= tarLimits.fileSize) return size;
  throw new SampanError("invalid", `Cannot receive the files: one has the size ${size}`);
}

/** A path below the directory; one that leads out of it, or that no file can have, is refused. */
function pathOf(bytes: Buffer): string {
  const path = byteString(bytes);
  const parts = partsBelow(path);
  if (parts === undefined)
    throw new SampanError("invalid", `Cannot receive ${readable(path)}: it leads out of its directory`);
  return parts.join("/");
}

function byteString(bytes: Buffer): string {
  if (!bytes.includes(0)) return bytes.toString("latin1");
  throw new SampanError("invalid", "Cannot receive the files: the name of one has a zero byte");
}
