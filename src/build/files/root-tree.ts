import type { Session } from "../../kernel/executor.ts";
import * as flags from "../../kernel/flags.ts";
import { packTree } from "../../storage/pack/pack.ts";
import { type Stat, TreeReader } from "../../storage/pack/tree-reader.ts";
import type { EntryType, TarEntry } from "../../storage/tar/entry.ts";
import { readTar, type TarReader } from "../../storage/tar/read.ts";
import type { FileStat } from "../context/tree.ts";
import { HashingHandler } from "./content-hash.ts";
import type { Selection, SourceTree } from "./source-tree.ts";

const types: Readonly<Record<number, EntryType>> = {
  [flags.S_IFREG]: "file",
  [flags.S_IFDIR]: "directory",
  [flags.S_IFLNK]: "symlink",
  [flags.S_IFCHR]: "character",
  [flags.S_IFBLK]: "block",
  [flags.S_IFIFO]: "fifo",
};

/** A root file system that a session is shut up in. */
export class RootTree implements SourceTree {
  readonly #session: Session;
  readonly #reader: TreeReader;

  constructor(session: Session, purpose: string) {
    this.#session = session;
    this.#reader = new TreeReader(session, purpose);
  }

  async stat(path: string): Promise<FileStat | undefined> {
    const [stat] = await this.#reader.look([path === "" ? "." : path]);
    if (stat === undefined) return undefined;
    const type = types[stat.mode & flags.S_IFMT];
    if (type === undefined) return undefined;
    return { ...fieldsOf(stat), type, linkName: type === "symlink" ? await this.#link() : "" };
  }

  async names(path: string): Promise<string[]> {
    return (await this.#reader.names(path === "" ? "." : path)).map(({ name }) => name);
  }

  async copy(selection: Selection, to: TarReader): Promise<void> {
    const stat = await this.stat(selection.path);
    if (stat === undefined) return;
    const isDirectory = stat.type === "directory";
    const base = selection.path.split("/").at(-1) ?? "";
    const filter = new Filter(to, (name) => {
      const relative = isDirectory ? name.slice(selection.as === "" ? 0 : selection.as.length + 1) : base;
      return relative !== "" && selection.excludes(relative);
    });
    const options = { from: selection.path, as: selection.as, withTop: selection.as !== "" };
    const tar = packTree(this.#reader, { ...options, entersMount: () => false, isUpper: false });
    await readTar(tar, filter);
  }

  async hash(selection: Selection): Promise<string> {
    const handler = new HashingHandler();
    await this.copy(selection, handler);
    return handler.result.digest();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#session.close();
  }

  /** Of the symbolic link that was looked at last. */
  async #link(): Promise<string> {
    const p = this.#reader.program();
    const read = this.#reader.addLink(p, 0);
    return read(await this.#session.run(p));
  }
}

function fieldsOf({ mode, uid, gid, size, mtime, major, minor }: Stat): Omit<FileStat, "type" | "linkName"> {
  return { mode: mode & 0o7777, uid, gid, size, mtime, major, minor, xattrs: [] };
}

/** Leaves entries out. */
class Filter implements TarReader {
  readonly #to: TarReader;
  readonly #excludes: (name: string) => boolean;
  #out = false;

  constructor(to: TarReader, excludes: (name: string) => boolean) {
    this.#to = to;
    this.#excludes = excludes;
  }

  async entry(entry: TarEntry): Promise<void> {
    this.#out = this.#excludes(entry.name.replace(/\/$/, ""));
    if (!this.#out) await this.#to.entry(entry);
  }

  async data(bytes: Buffer, offset: number): Promise<void> {
    if (!this.#out) await this.#to.data(bytes, offset);
  }

  async end(): Promise<void> {
    if (!this.#out) await this.#to.end();
  }
}
