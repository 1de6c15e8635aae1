import { SampanError } from "../../errors/index.ts";
import type { Operand } from "../../kernel/batch.ts";
import * as flags from "../../kernel/flags.ts";
import { readable, type TarEntry, type TarHandler } from "../tar/entry.ts";
import { baseOf, cleanName, parentOf, whiteoutOf } from "./names.ts";
import { deviceNumber, nodeTypes } from "./nodes.ts";
import type { Pipeline } from "./pipeline.ts";
import { ARCHIVE_FD, discard, KEPT_FD, setByDescriptor, setByPath } from "./steps.ts";
import { Tree } from "./tree.ts";

const { AT_FDCWD } = flags;
const CREATE = flags.O_WRONLY | flags.O_CREAT | flags.O_EXCL | flags.O_NOFOLLOW | flags.O_CLOEXEC;
/** Directories get their own mode last: until then no set-gid bit or missing right of theirs matters. */
const UNFINISHED = 0o700;

/** A hard link whose target this layer does not have: perhaps a lower layer does. Real name and name as given. */
export interface DeferredLink {
  readonly name: string;
  readonly target: string;
}

/** The file whose data is coming. */
interface OpenFile {
  readonly entry: TarEntry;
  fd: Operand;
  /** Data in the batch that no step writes yet. */
  pending: { address: Operand; offset: number; size: number } | undefined;
}

/**
 * Turns the entries of a layer's tar into steps for a session that has chroot'ed itself into the layer's directory. So
 * even a name that we mistook could not lead out of it: "..", absolute links and links to links end at the layer's root.
 *
 * What depends on the rest of the archive, or on lower layers, is kept for `finishLayer`.
 */
export class LayerWriter implements TarHandler {
  readonly tree = new Tree();
  /** Names as given, of what is hidden and of directories that hide all below. */
  readonly whiteouts = new Set<string>();
  readonly opaque = new Set<string>();
  readonly deferredLinks: DeferredLink[] = [];
  readonly #pipeline: Pipeline;
  #file: OpenFile | undefined;
  #size = 0;
  #discarded = 0;

  constructor(pipeline: Pipeline) {
    this.#pipeline = pipeline;
  }

  /** Bytes of the files so far. */
  get size(): number {
    return this.#size;
  }

  entry(entry: TarEntry): void {
    const name = cleanName(entry.name);
    this.#pipeline.batch.about(name);
    const marker = whiteoutOf(name);
    if (marker?.kind === "whiteout") this.whiteouts.add(marker.name);
    else if (marker?.kind === "opaque") this.opaque.add(marker.name);
    else if (!marker) this.#make(name, entry);
  }

  data(bytes: Buffer, offset: number): void {
    const file = this.#file;
    if (!file) return;
    for (let done = 0; done < bytes.length; ) {
      if (this.#pipeline.left <= 0) this.#keepOpen(file);
      const part = bytes.subarray(done, done + this.#pipeline.left);
      this.#addData(file, part, offset + done);
      done += part.length;
    }
  }

  copied(at: number, size: number, offset: number): void {
    const file = this.#file;
    if (!file) return;
    this.#writePending(file);
    const { batch } = this.#pipeline;
    batch.full("copy_file_range", ARCHIVE_FD, batch.words([at]), file.fd, batch.words([offset]), size, 0);
    this.#keepOpen(file);
  }

  end(): void {
    const file = this.#file;
    if (file) {
      this.#writePending(file);
      const { batch } = this.#pipeline;
      if (file.entry.sparse) batch.sys("ftruncate", file.fd, file.entry.size);
      setByDescriptor(batch, file.fd, file.entry, true);
      batch.sys("close", file.fd);
      this.#file = undefined;
    }
    this.#pipeline.sendIfFull();
  }

  /** The real name of directory `name`, which is made with all above it where it is missing. */
  directory(name: string): string {
    if (this.tree.directories.has(name)) return name;
    return this.tree.resolve(name, (real) => this.#mkdir(real)) ?? name;
  }

  /** The real name of `name`, with nothing there any more. */
  place(name: string): string {
    const parent = this.directory(parentOf(name));
    const real = parent === "" ? baseOf(name) : `${parent}/${baseOf(name)}`;
    if (this.tree.kindOf(real) !== undefined) {
      discard(this.#pipeline.batch, real, String(this.#discarded++));
      this.tree.forget(real);
    }
    return real;
  }

  /** Makes `name`, whose place is free, another name of `target`, which is in this layer. Both are real names. */
  link(name: string, target: string): void {
    const { batch } = this.#pipeline;
    batch.sys("linkat", AT_FDCWD, batch.text(target), AT_FDCWD, batch.text(name), 0);
    this.tree.copy(target, name);
  }

  /** The real name of something else than a directory in this layer; undefined when it is not here. */
  find(name: string): string | undefined {
    const parent = this.tree.resolve(parentOf(name));
    const real = parent === undefined ? undefined : parent === "" ? baseOf(name) : `${parent}/${baseOf(name)}`;
    return real !== undefined && this.tree.kindOf(real) === "other" ? real : undefined;
  }

  /** Makes anything but directories, hard links and files; its place is free. */
  makeNode(name: string, entry: TarEntry): void {
    const { batch } = this.#pipeline;
    const path = batch.text(name);
    const { type } = entry;
    if (type === "symlink") batch.sys("symlinkat", batch.text(entry.linkName), AT_FDCWD, path);
    else if (type === "character" || type === "block" || type === "fifo") {
      batch.sys("mknodat", AT_FDCWD, path, nodeTypes[type] | entry.mode, deviceNumber(entry));
    }
    setByPath(batch, path, entry, type === "symlink");
    this.tree.set(name, type === "symlink" ? entry.linkName : undefined);
  }

  #make(name: string, entry: TarEntry): void {
    if (entry.type === "directory") {
      this.#makeDirectory(name, entry);
      return;
    }
    if (name === "") throw new SampanError("invalid", "Cannot unpack the root of the layer: it is no directory");
    if (entry.type === "hardlink") this.#makeHardLink(name, cleanName(entry.linkName));
    else if (entry.type === "file") this.#openFile(this.place(name), entry);
    else this.makeNode(this.place(name), entry);
  }

  #openFile(real: string, entry: TarEntry): void {
    const { batch } = this.#pipeline;
    batch.into(batch.sys("openat", AT_FDCWD, batch.text(real), CREATE, entry.mode), 0);
    this.#file = { entry, fd: batch.variable(0), pending: undefined };
    this.#size += entry.size;
    this.tree.set(real);
  }

  #makeDirectory(name: string, entry: TarEntry): void {
    const { mode, uid, gid, mtime, xattrs } = entry;
    let real = name;
    let directory = this.tree.directories.get(name);
    if (!directory) {
      const parent = this.directory(parentOf(name));
      real = parent === "" ? baseOf(name) : `${parent}/${baseOf(name)}`;
      directory = this.tree.directories.get(real);
    }
    if (!directory) {
      this.place(real);
      this.#mkdir(real);
      directory = { attributes: undefined, opaque: false };
      this.tree.directories.set(real, directory);
    }
    directory.attributes = { mode, uid, gid, mtime, xattrs };
  }

  #mkdir(real: string): void {
    const { batch } = this.#pipeline;
    batch.sys("mkdirat", AT_FDCWD, batch.text(real), UNFINISHED);
  }

  #makeHardLink(name: string, target: string): void {
    const known = this.find(target);
    if (known === undefined && this.tree.kindOf(target) === "directory") {
      throw new SampanError("invalid", `Cannot link ${readable(name)} to ${readable(target)}: that is a directory`);
    }
    if (known !== undefined && known === this.find(name)) return;
    const real = this.place(name);
    if (known === undefined) this.deferredLinks.push({ name: real, target });
    else this.link(real, known);
  }

  #addData(file: OpenFile, bytes: Buffer, offset: number): void {
    const { pending } = file;
    if (pending && offset !== pending.offset + pending.size) this.#writePending(file);
    const address = this.#pipeline.batch.append(bytes);
    if (file.pending) file.pending.size += bytes.length;
    else file.pending = { address, offset, size: bytes.length };
  }

  #writePending(file: OpenFile): void {
    const { pending } = file;
    if (!pending) return;
    this.#pipeline.batch.full("pwrite64", file.fd, pending.address, pending.size, pending.offset);
    file.pending = undefined;
  }

  /** Sends the batch in the middle of a file. Variables end with their batch; a descriptor with a number stays. */
  #keepOpen(file: OpenFile): void {
    this.#writePending(file);
    const { batch } = this.#pipeline;
    if (file.fd !== KEPT_FD) {
      batch.sys("dup3", file.fd, KEPT_FD, flags.O_CLOEXEC);
      batch.sys("close", file.fd);
      file.fd = KEPT_FD;
    }
    this.#pipeline.send();
    this.#pipeline.batch.about(cleanName(file.entry.name));
  }
}
