import { chmodSync, linkSync, lstatSync, lutimesSync, mkdirSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { TarEntry } from "../../storage/tar/entry.ts";
import { partsBelow } from "../../storage/tar/names.ts";
import { readTar, type TarReader } from "../../storage/tar/read.ts";
import { ExitError } from "../errors.ts";
import { renamed } from "./paths.ts";

type Rename = { readonly from: string; readonly to: string } | undefined;

/**
 * Unpacks an archive into a directory of this machine, as docker's command line does: owners are whoever runs this,
 * directories and other things do not replace each other, and nothing is written outside, whatever names and links say.
 */
export async function unpackLocal(
  tar: AsyncIterable<Uint8Array>,
  directory: string,
  renames: readonly Rename[],
): Promise<void> {
  const writer = new LocalWriter(directory, renames);
  try {
    await readTar(tar, writer);
    writer.finish();
  } finally {
    await writer.close();
  }
}

class LocalWriter implements TarReader {
  readonly #directory: string;
  /** The directory without links. */
  readonly #real: string;
  readonly #renames: readonly Rename[];
  readonly #directories: { readonly path: string; readonly entry: TarEntry }[] = [];
  #file: { readonly handle: FileHandle; readonly path: string; readonly entry: TarEntry } | undefined;

  constructor(directory: string, renames: readonly Rename[]) {
    this.#directory = directory;
    this.#real = realpathSync(directory);
    this.#renames = renames;
  }

  async entry(entry: TarEntry): Promise<void> {
    const path = this.#pathOf(entry.name);
    if (path === this.#directory && entry.type === "directory") return;
    this.#makeParent(path, entry.name);
    const there = lstatSync(path, { throwIfNoEntry: false });
    if (there?.isDirectory() && entry.type === "directory") {
      this.#directories.push({ path, entry });
      return;
    }
    if (there?.isDirectory()) throw this.#cannotReplace("directory", path, "non-directory");
    if (there !== undefined && entry.type === "directory")
      throw this.#cannotReplace("non-directory", path, "directory");
    if (there !== undefined) rmSync(path);
    await this.#create(path, entry);
  }

  async data(bytes: Buffer, offset: number): Promise<void> {
    for (let done = 0; this.#file !== undefined && done < bytes.length; ) {
      // A disk that is nearly full takes a part, and refuses the rest.
      const { bytesWritten } = await this.#file.handle.write(bytes, done, bytes.length - done, offset + done);
      done += bytesWritten;
    }
  }

  async end(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    if (file.entry.sparse) await file.handle.truncate(file.entry.size);
    await file.handle.chmod(file.entry.mode);
    await this.close();
    setTime(file.path, file.entry);
  }

  /** The archive has ended: directories get their attributes, the last first. */
  finish(): void {
    for (const { path, entry } of this.#directories.reverse()) {
      chmodSync(path, entry.mode);
      setTime(path, entry);
    }
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.handle.close();
  }

  async #create(path: string, entry: TarEntry): Promise<void> {
    switch (entry.type) {
      case "directory":
        mkdirSync(path, { mode: 0o700 });
        this.#directories.push({ path, entry });
        return;
      case "file":
        this.#file = { handle: await open(path, "wx", 0o600), path, entry };
        return;
      case "symlink":
        symlinkSync(text(entry.linkName), path);
        setTime(path, entry);
        return;
      case "hardlink": {
        const target = this.#pathOf(entry.linkName);
        this.#makeParent(target, entry.linkName);
        linkSync(target, path);
        return;
      }
      default:
        await makeNode(path, entry);
    }
  }

  /** Where an entry is to go; a name that leads out of the directory is an error. */
  #pathOf(name: string): string {
    let wanted = text(name);
    for (const rename of this.#renames) if (rename !== undefined) wanted = renamed(wanted, rename);
    const parts = partsBelow(wanted);
    if (parts === undefined) throw outside(name, this.#directory);
    return parts.length === 0 ? this.#directory : join(this.#directory, ...parts);
  }

  /** Makes what is missing on the way; links on it must stay inside, and nothing is made behind one that does not. */
  #makeParent(path: string, name: string): void {
    if (path === this.#directory) return;
    const parent = dirname(path);
    if (parent === this.#directory) return;
    const there = lstatSync(parent, { throwIfNoEntry: false });
    if (there === undefined) {
      this.#makeParent(parent, name);
      mkdirSync(parent);
      return;
    }
    const real = realpathSync(parent);
    if (this.#real !== "/" && real !== this.#real && !real.startsWith(`${this.#real}/`)) {
      throw outside(name, this.#directory);
    }
  }

  #cannotReplace(what: string, path: string, other: string): ExitError {
    return new ExitError(1, `cannot overwrite ${what} "${path}" with ${other} "${this.#directory}"`);
  }
}

async function makeNode(path: string, entry: TarEntry): Promise<void> {
  const { execFile } = await import("node:child_process");
  const type = { character: "c", block: "b", fifo: "p" }[entry.type as string] ?? "p";
  const numbers = type === "p" ? [] : [String(entry.major), String(entry.minor)];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // Node makes no special files.
  execFile("mknod", ["-m", entry.mode.toString(8), path, type, ...numbers], (error) => {
    if (error === null) resolve();
    else reject(new ExitError(1, `mknod ${path}: ${error.message}`));
  });
  await promise;
}

function setTime(path: string, { mtime }: TarEntry): void {
  lutimesSync(path, mtime.seconds, mtime.seconds);
}

function text(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString();
}

function outside(name: string, directory: string): ExitError {
  return new ExitError(1, `${JSON.stringify(text(name))} is outside of ${JSON.stringify(directory)}`);
}
