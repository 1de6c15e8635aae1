import { randomBytes } from "node:crypto";
import { rmdirSync } from "node:fs";
import { rmdir } from "node:fs/promises";
import { SampanError } from "../../errors/index.ts";
import { errnoNumber } from "../../kernel/errno.ts";
import type { Executor, Session } from "../../kernel/executor.ts";
import * as flags from "../../kernel/flags.ts";
import { KernelError } from "../../kernel/kernel-error.ts";
import { Program } from "../../kernel/program.ts";
import type { Results } from "../../kernel/results.ts";
import { type DirectoryEntry, directoryEntries } from "./directory-entries.ts";
import { loosen } from "./loosen.ts";
import { Pipeline } from "./pipeline.ts";
import { addReading, DIRECTORIES, NAMES } from "./read-directories.ts";

/** A path that is longer is cut short by moving the directory to the top: PATH_MAX is 4096. */
const LONGEST = 2000;
/** A reading that leaves less room than one name may need may not have been the last. */
const LONGEST_RECORD = 512;
const ENOTEMPTY = errnoNumber("ENOTEMPTY");

/**
 * Removes a directory and all below it, as `rm -rf --one-file-system` does: links are not followed, mounts are not
 * entered (an error), directories may be deeper than PATH_MAX, immutable files are made mutable. Nobody else may work
 * in the tree. A path that is not there is no error.
 */
export async function removeTree(executor: Executor, path: string): Promise<void> {
  if (removeBare(path)) return;
  try {
    await removePersistently(executor, path);
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    if (error.errno === "ENOENT" && error.step?.call === "chroot") return;
    if (error.errno !== "EPERM") throw error;
    await removeAll(executor, path, true);
  }
}

/** A helper that was killed takes its worker along: what is left then is for another. */
async function removePersistently(executor: Executor, path: string): Promise<void> {
  try {
    await removeAll(executor, path, false);
  } catch (error) {
    if (!(error instanceof SampanError) || error.kind !== "unavailable") throw error;
    await removeAll(executor, path, false);
  }
}

/**
 * Most trees that are removed are empty, or hold nothing but overlayfs's empty "work": three calls instead of a process.
 * False where there is more to do.
 */
function removeBare(path: string): boolean {
  for (const directory of [path, `${path}/work`, path]) {
    try {
      rmdirSync(directory);
      if (directory === path) return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" && directory === path) return true;
      if (code !== "ENOTEMPTY" || directory !== path) return false;
    }
  }
  return false;
}

/** Empties and removes. A directory with more names than one reading gives may need another round. */
async function removeAll(executor: Executor, path: string, force: boolean): Promise<void> {
  for (let found = 1; found > 0; ) {
    const session = await executor.open();
    try {
      found = await new Remover(session, path, force).run();
    } finally {
      session.close();
    }
    if (await isGone(path)) return;
  }
  throw new SampanError("conflict", `Cannot remove ${path}: somebody else works in it`);
}

async function isGone(path: string): Promise<boolean> {
  try {
    await rmdir(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOTEMPTY") return false;
    throw error;
  }
}

class Remover {
  readonly #session: Session;
  readonly #path: string;
  readonly #force: boolean;
  readonly #pipeline: Pipeline;
  /** Directories to read, and all that were read, parents before children. */
  #toRead: string[] = [""];
  readonly #read: string[] = [];
  readonly #prefix = `.sampan-${randomBytes(6).toString("hex")}-`;
  #moved = 0;
  #found = 0;

  constructor(session: Session, path: string, force: boolean) {
    this.#session = session;
    this.#path = path;
    this.#force = force;
    this.#pipeline = new Pipeline(session, `remove ${path}`);
  }

  /** Returns how many entries it has found. */
  async run(): Promise<number> {
    const enter = new Program(`remove ${this.#path}`);
    enter.call("chroot", [enter.text(this.#path)], { note: "make it the root" });
    enter.call("chdir", [enter.text("/")], { note: "go there" });
    await this.#session.run(enter);
    while (this.#toRead.length > 0) {
      await this.#readSome(this.#toRead.splice(-DIRECTORIES));
      await this.#pipeline.room();
    }
    for (const name of this.#read.toReversed()) if (name !== "") this.#unlink(name, flags.AT_REMOVEDIR);
    await this.#pipeline.settle();
    return this.#found;
  }

  async #readSome(names: readonly string[]): Promise<void> {
    this.#pipeline.send();
    const program = new Program(`remove ${this.#path}`);
    const readings = names.map((name) => addReading(program, name));
    const results = await this.#run(program);
    for (const { name, fd, length, bytes } of readings) {
      // What the file system did not tell the type of, and is no directory.
      if (results.value(fd) < 0) this.#unlink(name, 0);
      else await this.#removeEntries(name, results.bytes(bytes, results.value(length)));
    }
  }

  async #run(program: Program): Promise<Results> {
    try {
      return await this.#session.run(program);
    } catch (error) {
      // When a batch before it has failed, that is the reason.
      await this.#pipeline.settle();
      throw error;
    }
  }

  async #removeEntries(directory: string, bytes: Buffer): Promise<void> {
    const entries = directoryEntries(bytes);
    this.#found += entries.length;
    if (this.#force) await this.#loosen(directory, entries);
    for (const { name, type } of entries) if (type === "other") this.#unlink(childOf(directory, name), 0);
    const below = entries.filter(({ type }) => type !== "other").map(({ name }) => childOf(directory, name));
    if (below.length > 0 && directory.length > LONGEST) {
      this.#toRead.push(directory, ...below.map((name) => this.#moveToTop(name)));
    } else if (below.length === 0 && bytes.length > NAMES - LONGEST_RECORD) {
      this.#toRead.push(directory);
    } else {
      this.#read.push(directory);
      this.#toRead.push(...below);
    }
  }

  async #loosen(directory: string, entries: readonly DirectoryEntry[]): Promise<void> {
    this.#pipeline.send();
    await loosen(this.#session, directory, entries);
  }

  #moveToTop(name: string): string {
    const top = `${this.#prefix}${this.#moved++}`;
    const { batch } = this.#pipeline;
    batch.about(name);
    batch.sys("renameat", flags.AT_FDCWD, batch.text(name), flags.AT_FDCWD, batch.text(top));
    this.#pipeline.sendIfFull();
    return top;
  }

  #unlink(name: string, how: number): void {
    const { batch } = this.#pipeline;
    batch.about(name);
    const step = batch.sys("unlinkat", flags.AT_FDCWD, batch.text(name), how);
    batch.tolerate(step, how === 0 ? 0 : ENOTEMPTY);
    this.#pipeline.sendIfFull();
  }
}

function childOf(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}
