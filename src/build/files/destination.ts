import { posix } from "node:path";
import { SampanError } from "../../errors/index.ts";
import type { Session } from "../../kernel/executor.ts";
import * as flags from "../../kernel/flags.ts";
import { Program } from "../../kernel/program.ts";
import { ArchiveWriter } from "../../storage/extract/writer.ts";
import { enter, locate, realPath } from "../../storage/pack/locate.ts";
import type { TarEntry } from "../../storage/tar/entry.ts";
import type { TarReader } from "../../storage/tar/read.ts";
import { type FileStat, impliedDirectory } from "../context/tree.ts";
import { bytesOf } from "./source-tree.ts";

/** What becomes of everything that is copied. */
export interface Rewriting {
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  mode(mode: number, isDirectory: boolean): number;
}

/** A root file system that a session is shut up in, and that files are copied to. */
export class Destination {
  readonly #session: Session;
  readonly #purpose: string;
  readonly #rewriting: Rewriting;
  /** When what nobody dates was made. */
  readonly #now: TarEntry["mtime"];

  constructor(session: Session, purpose: string, rewriting: Rewriting, now: TarEntry["mtime"]) {
    this.#session = session;
    this.#purpose = purpose;
    this.#rewriting = rewriting;
    this.#now = now;
  }

  /** Whether a path leads to a directory. */
  async isDirectory(path: string): Promise<boolean> {
    const real = await this.#realPath(path);
    if (real === undefined) return false;
    const found = await locate(this.#session, real);
    return found !== undefined && (found.stat.mode & flags.S_IFMT) === flags.S_IFDIR;
  }

  /** Where a file of this path is written: a link there is followed. */
  async fileAt(path: string): Promise<string> {
    return (await this.#realPath(path)) ?? path;
  }

  /** Makes a directory and those above it, where they are missing; `copied`: --chmod is about it, too. */
  async makeDirectory(path: string, { copied = false }: { readonly copied?: boolean } = {}): Promise<void> {
    const missing: string[] = [];
    let there = posix.resolve("/", path);
    let real = await this.#realPath(there);
    while (real === undefined) {
      missing.unshift(posix.basename(there));
      there = posix.dirname(there);
      real = await this.#realPath(there);
    }
    if (missing.length === 0 || missing.at(-1) === "") return await this.#mustBeDirectory(path);
    const { owner, mode } = this.#rewriting;
    const rewriting = { owner, mode: copied ? mode : (bits: number) => bits };
    await this.#write(real, rewriting, async (to) => {
      for (let count = 1; count <= missing.length; count++) {
        await to.entry({ ...this.#plain(), name: bytesOf(missing.slice(0, count).join("/")), sparse: false });
      }
    });
  }

  /** Writes what `copy` tells into a directory that is there. */
  async write(directory: string, copy: (to: TarReader) => Promise<void>): Promise<void> {
    await this.#write(directory, this.#rewriting, copy);
  }

  /** Gives a directory that is there the time of the one whose files it has got, as BuildKit does. */
  async date(directory: string, { seconds, nanoseconds }: TarEntry["mtime"]): Promise<void> {
    await this.#mustBeDirectory(directory);
    const p = new Program(this.#purpose);
    const times = p.words([seconds, nanoseconds, seconds, nanoseconds]);
    p.call("utimensat", [flags.AT_FDCWD, p.text("."), times, 0], { note: "date the directory" });
    await this.#session.run(p);
  }

  async #write(directory: string, rewriting: Rewriting, copy: (to: TarReader) => Promise<void>): Promise<void> {
    await this.#mustBeDirectory(directory);
    const writer = new ArchiveWriter(this.#session, {
      purpose: this.#purpose,
      destination: directory,
      noOverwriteDirNonDir: true,
    });
    await copy(new Rewriter(writer, rewriting));
    await writer.finish();
  }

  async #realPath(path: string): Promise<string | undefined> {
    await this.#goToRoot();
    return await realPath(this.#session, path).catch((cause) => {
      throw new SampanError("invalid", `cannot copy to non-directory: ${path}`, { cause });
    });
  }

  /** Paths are looked up from where the session is. */
  async #goToRoot(): Promise<void> {
    const p = new Program(this.#purpose);
    p.call("chdir", [p.text("/")], { note: "go to the top" });
    await this.#session.run(p);
  }

  /** The session goes there. */
  async #mustBeDirectory(path: string): Promise<void> {
    await this.#goToRoot();
    const entered = await enter(this.#session, path).catch((cause) => {
      throw new SampanError("invalid", `cannot copy to non-directory: ${path}`, { cause });
    });
    if (entered === undefined) throw new SampanError("not-found", `Cannot ${this.#purpose}: there is no ${path}`);
  }

  #plain(): FileStat {
    const { stat } = impliedDirectory(this.#now);
    return { ...stat };
  }
}

class Rewriter implements TarReader {
  readonly #to: TarReader;
  readonly #rewriting: Rewriting;

  constructor(to: TarReader, rewriting: Rewriting) {
    this.#to = to;
    this.#rewriting = rewriting;
  }

  async entry(entry: TarEntry): Promise<void> {
    const { owner, mode } = this.#rewriting;
    const changed = entry.type === "symlink" ? entry.mode : mode(entry.mode, entry.type === "directory");
    await this.#to.entry({ ...entry, ...owner, mode: changed });
  }

  async data(bytes: Buffer, offset: number): Promise<void> {
    await this.#to.data(bytes, offset);
  }

  async end(): Promise<void> {
    await this.#to.end();
  }
}
