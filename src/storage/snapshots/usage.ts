import type { Executor, Session } from "../../kernel/executor.ts";
import * as flags from "../../kernel/flags.ts";
import { Program } from "../../kernel/program.ts";
import { type DirectoryEntry, directoryEntries, positionAfter } from "../unpack/directory-entries.ts";
import { pathBytes } from "../unpack/probe.ts";
import { addReading, DIRECTORIES } from "../unpack/read-directories.ts";

/** Files looked at by one program: 264 bytes of results each. */
const FILES = 2000;
const STATX_BASIC_STATS = 0x7ff;

/**
 * Bytes of the files below a directory, hard links counted once, as `docker ps --size` counts them. A container may be
 * changing them meanwhile: what disappears is not counted, links are not followed.
 */
export async function treeSize(executor: Executor, path: string): Promise<number> {
  const session = await executor.open();
  try {
    const enter = new Program(`measure ${path}`);
    enter.call("chroot", [enter.text(path)], { note: "make it the root" });
    enter.call("chdir", [enter.text("/")], { note: "go there" });
    await session.run(enter);
    return await new Measurer(session, path).run();
  } finally {
    session.close();
  }
}

/** A directory, and how far it has been read. */
interface Place {
  readonly directory: string;
  readonly from: bigint;
}

class Measurer {
  readonly #session: Session;
  readonly #path: string;
  readonly #inodes = new Set<bigint>();
  #size = 0;

  constructor(session: Session, path: string) {
    this.#session = session;
    this.#path = path;
  }

  async run(): Promise<number> {
    const toRead: Place[] = [{ directory: "", from: 0n }];
    while (toRead.length > 0) {
      for (const { directory, bytes } of await this.#read(toRead.splice(-DIRECTORIES))) {
        const join = ({ name }: DirectoryEntry) => (directory === "" ? name : `${directory}/${name}`);
        const entries = directoryEntries(bytes);
        if (entries.length > 0) toRead.push({ directory, from: positionAfter(bytes) });
        for (const entry of entries) if (entry.type === "directory") toRead.push({ directory: join(entry), from: 0n });
        await this.#measure(entries.filter(({ type }) => type !== "directory").map(join));
      }
    }
    return this.#size;
  }

  async #read(places: readonly Place[]): Promise<{ directory: string; bytes: Buffer }[]> {
    const program = new Program(`measure ${this.#path}`);
    const readings = places.map(({ directory, from }) => addReading(program, directory, { gone: true, from }));
    const results = await this.#session.run(program);
    return readings.map(({ name, bytes, length }) => {
      return { directory: name, bytes: results.bytes(bytes, results.value(length)) };
    });
  }

  async #measure(names: readonly string[]): Promise<void> {
    for (let from = 0; from < names.length; from += FILES) {
      const program = new Program(`measure ${this.#path}`);
      const reads = names.slice(from, from + FILES).map((name) => {
        const stat = program.buffer(256);
        const how = flags.AT_SYMLINK_NOFOLLOW | flags.AT_NO_AUTOMOUNT;
        const args = [flags.AT_FDCWD, pathBytes(program, name), how, STATX_BASIC_STATS, stat];
        return { stat, done: program.sys("statx", args, { note: "look at a file", tolerate: "all" }) };
      });
      const results = await this.#session.run(program);
      for (const { stat, done } of reads) if (results.value(done) === 0) this.#count(results.bytes(stat));
    }
  }

  /** struct statx: nlink at 16, ino at 32, size at 40. */
  #count(stat: Buffer): void {
    const inode = stat.readBigUInt64LE(32);
    if (stat.readUInt32LE(16) > 1) {
      if (this.#inodes.has(inode)) return;
      this.#inodes.add(inode);
    }
    this.#size += Number(stat.readBigUInt64LE(40));
  }
}
