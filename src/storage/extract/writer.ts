import { SampanError } from "../../errors/index.ts";
import type { Operand } from "../../kernel/batch.ts";
import { errnoNumber } from "../../kernel/errno.ts";
import type { Session } from "../../kernel/executor.ts";
import * as flags from "../../kernel/flags.ts";
import { TreeReader } from "../pack/tree-reader.ts";
import { readable, type TarEntry } from "../tar/entry.ts";
import type { TarReader } from "../tar/read.ts";
import { baseOf, parentOf } from "../unpack/names.ts";
import { deviceNumber, nodeTypes } from "../unpack/nodes.ts";
import { Pipeline } from "../unpack/pipeline.ts";
import { setByDescriptor } from "../unpack/steps.ts";
import { entryName } from "./names.ts";
import { kindAt } from "./probe.ts";

export interface ExtractOptions {
  /** For errors, an infinitive. */
  readonly purpose: string;
  /** The directory, for errors. */
  readonly destination: string;
  /** A directory does not replace anything else, and nothing else a directory. */
  readonly noOverwriteDirNonDir: boolean;
  /** Everything gets this owner. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
}

type Kind = "directory" | "other";

const EEXIST = errnoNumber("EEXIST");
const ENOENT = errnoNumber("ENOENT");
/** The directory that the next entry lies in. */
const PARENT_FD = 110;
/** The file that is being written. */
const FILE_FD = 111;
/** Directories that nobody describes. */
const IMPLIED = 0o755;

/**
 * Turns entries into system calls. Every entry's directory is found by openat2 without magic links, inside the root that the
 * session is shut up in, and what is made there is made by descriptor and single name, never over something that exists.
 */
export class ArchiveWriter implements TarReader {
  readonly #session: Session;
  readonly #options: ExtractOptions;
  readonly #pipeline: Pipeline;
  /** What this archive has made; all there is in directories that it has made. */
  readonly #made = new Map<string, Kind>();
  /** Those whose attributes are set at the end, for what comes into them changes their times. */
  readonly #directories = new Map<string, TarEntry>();
  #parent: string | undefined;
  #file: TarEntry | undefined;

  constructor(session: Session, options: ExtractOptions) {
    this.#session = session;
    this.#options = options;
    this.#pipeline = new Pipeline(session, options.purpose);
  }

  async entry(given: TarEntry): Promise<void> {
    const entry = this.#owned(given);
    const name = entryName(entry.name);
    this.#pipeline.batch.about(name);
    if (name === "") {
      // The directory that is unpacked into is as it is.
      if (entry.type === "directory") return;
      throw new SampanError("invalid", `Cannot ${this.#options.purpose}: ${readable(entry.name)} is no directory`);
    }
    const there = await this.#kind(name);
    if (there === "directory" && entry.type === "directory") {
      this.#directories.set(name, entry);
      return;
    }
    if (there !== undefined) await this.#replace(name, there, entry);
    this.#make(name, entry);
    this.#made.set(name, entry.type === "directory" ? "directory" : "other");
    if (entry.type !== "file") this.#pipeline.sendIfFull();
  }

  async data(bytes: Buffer, offset: number): Promise<void> {
    if (this.#file === undefined) return;
    for (let done = 0; done < bytes.length; ) {
      const part = bytes.subarray(done, done + Math.max(this.#pipeline.left, 65536));
      const { batch } = this.#pipeline;
      batch.full("pwrite64", FILE_FD, batch.append(part), part.length, offset + done);
      done += part.length;
      this.#pipeline.sendIfFull();
      await this.#pipeline.room();
    }
  }

  async end(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return this.#pipeline.room();
    this.#file = undefined;
    const { batch } = this.#pipeline;
    if (file.sparse) batch.sys("ftruncate", FILE_FD, file.size);
    setByDescriptor(batch, FILE_FD, file, false);
    batch.sys("close", FILE_FD);
    this.#pipeline.sendIfFull();
    await this.#pipeline.room();
  }

  /** The archive has ended: directories get their attributes, the deepest first. */
  async finish(): Promise<void> {
    const depth = (name: string) => name.split("/").length;
    const byDepth = [...this.#directories].sort(([a], [b]) => depth(b) - depth(a));
    for (const [name, entry] of byDepth) {
      this.#enter(parentOf(name));
      const { batch } = this.#pipeline;
      const how = flags.O_RDONLY | flags.O_DIRECTORY | flags.O_NOFOLLOW | flags.O_CLOEXEC;
      batch.into(batch.sys("openat", PARENT_FD, batch.text(baseOf(name)), how, 0), 0);
      setByDescriptor(batch, batch.variable(0), this.#owned(entry), false);
      batch.sys("close", batch.variable(0));
      this.#pipeline.sendIfFull();
    }
    await this.#pipeline.settle();
  }

  /** What is at a name; missing directories on the way are made. */
  async #kind(name: string): Promise<Kind | undefined> {
    const parent = parentOf(name);
    if (this.#made.get(parent) === "directory") return this.#made.get(name);
    this.#pipeline.send();
    const found = await kindAt(this.#session, this.#options.purpose, name);
    if (found !== "no parent") return found;
    const parts = parent.split("/");
    for (let count = 1; count <= parts.length; count++) this.#implied(parts.slice(0, count).join("/"));
    return undefined;
  }

  #implied(name: string): void {
    this.#enter(parentOf(name));
    const { batch } = this.#pipeline;
    batch.tolerate(batch.sys("mkdirat", PARENT_FD, batch.text(baseOf(name)), IMPLIED), EEXIST);
  }

  /** Removes what is in the way, unless that is not wanted. */
  async #replace(name: string, there: Kind, { type }: TarEntry): Promise<void> {
    const { noOverwriteDirNonDir, destination } = this.#options;
    const what = (kind: string, other: string) =>
      new SampanError("invalid", `cannot overwrite ${kind} ${readable(name)} with ${other} "${destination}"`);
    if (noOverwriteDirNonDir && there === "directory") throw what("directory", "non-directory");
    if (noOverwriteDirNonDir && type === "directory") throw what("non-directory", "directory");
    if (there === "directory") await this.#removeBelow(name);
    this.#unlink(name, there === "directory" ? flags.AT_REMOVEDIR : 0);
    this.#made.delete(name);
    if (there === "directory") this.#forgetDirectory(name);
  }

  #forgetDirectory(name: string): void {
    const below = (known: string) => known === name || known.startsWith(`${name}/`);
    for (const known of this.#made.keys()) if (below(known)) this.#made.delete(known);
    for (const known of this.#directories.keys()) if (below(known)) this.#directories.delete(known);
    this.#parent = undefined;
  }

  async #removeBelow(name: string): Promise<void> {
    this.#pipeline.send();
    const reader = new TreeReader(this.#session, this.#options.purpose);
    for (const { name: base, type } of await reader.names(name)) {
      const child = `${name}/${base}`;
      if (type === "directory") await this.#removeBelow(child);
      this.#unlink(child, type === "directory" ? flags.AT_REMOVEDIR : 0);
    }
    this.#parent = undefined;
  }

  #unlink(name: string, how: number): void {
    this.#enter(parentOf(name));
    const { batch } = this.#pipeline;
    batch.about(name);
    batch.tolerate(batch.sys("unlinkat", PARENT_FD, batch.text(baseOf(name)), how), ENOENT);
    this.#pipeline.sendIfFull();
  }

  /** Opens the directory that the next steps work in. */
  #enter(parent: string): void {
    if (parent === this.#parent) return;
    this.#open(parent, PARENT_FD);
    this.#parent = parent;
  }

  #open(directory: string, as: number): void {
    const { batch } = this.#pipeline;
    const path = batch.text(directory === "" ? "." : directory);
    const how = flags.O_PATH | flags.O_DIRECTORY | flags.O_CLOEXEC;
    const openHow = batch.words([how, 0, flags.RESOLVE_NO_MAGICLINKS]);
    batch.into(batch.sys("openat2", flags.AT_FDCWD, path, openHow, 24), 0);
    batch.sys("dup3", batch.variable(0), as, flags.O_CLOEXEC);
    batch.sys("close", batch.variable(0));
  }

  #make(name: string, entry: TarEntry): void {
    this.#enter(parentOf(name));
    const { batch } = this.#pipeline;
    const base = batch.text(baseOf(name));
    switch (entry.type) {
      case "directory":
        batch.sys("mkdirat", PARENT_FD, base, 0o700);
        this.#directories.set(name, entry);
        return;
      case "file": {
        const how = flags.O_WRONLY | flags.O_CREAT | flags.O_EXCL | flags.O_NOFOLLOW | flags.O_CLOEXEC;
        batch.into(batch.sys("openat", PARENT_FD, base, how, 0o600), 0);
        batch.sys("dup3", batch.variable(0), FILE_FD, flags.O_CLOEXEC);
        batch.sys("close", batch.variable(0));
        this.#file = entry;
        return;
      }
      case "hardlink": {
        const target = entryName(entry.linkName, "hardlink target");
        this.#open(parentOf(target), FILE_FD);
        batch.sys("linkat", FILE_FD, batch.text(baseOf(target)), PARENT_FD, base, 0);
        return;
      }
      case "symlink":
        batch.sys("symlinkat", batch.text(entry.linkName), PARENT_FD, base);
        break;
      default:
        batch.sys("mknodat", PARENT_FD, base, nodeTypes[entry.type] | entry.mode, deviceNumber(entry));
    }
    this.#ownAndDate(base, entry);
  }

  /** What cannot be opened without following or waking something is given its owner and time by name, links not followed. */
  #ownAndDate(base: Operand, { uid, gid, mtime }: TarEntry): void {
    const { batch } = this.#pipeline;
    batch.sys("fchownat", PARENT_FD, base, uid, gid, flags.AT_SYMLINK_NOFOLLOW);
    const times = batch.words([mtime.seconds, mtime.nanoseconds, mtime.seconds, mtime.nanoseconds]);
    batch.sys("utimensat", PARENT_FD, base, times, flags.AT_SYMLINK_NOFOLLOW);
  }

  #owned(entry: TarEntry): TarEntry {
    return this.#options.owner === undefined ? entry : { ...entry, ...this.#options.owner };
  }
}
