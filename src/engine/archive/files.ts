import { posix } from "node:path";
import { SampanError } from "../../errors/index.ts";
import { decompressed } from "../../images/decompress.ts";
import * as f from "../../kernel/flags.ts";
import { KernelError } from "../../kernel/kernel-error.ts";
import { extractArchive } from "../../storage/extract/extract.ts";
import { cleanButEnd, enter, locate } from "../../storage/pack/locate.ts";
import { packTree } from "../../storage/pack/pack.ts";
import { TreeReader } from "../../storage/pack/tree-reader.ts";
import { containerEvent } from "../container/events.ts";
import type { Container } from "../container/live.ts";
import { rootOf } from "../container/spec.ts";
import type { EngineParts } from "../parts.ts";
import { listChanges } from "./changes.ts";
import type { ExtractRequest, FileChange, Files, PathStat } from "./types.ts";
import { type FilesView, openFiles } from "./view.ts";
import { checkWritable } from "./writable.ts";

/** The files of containers: finds the container, opens its root, works there. */
export class ContainersFiles implements Files {
  readonly #parts: EngineParts;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  async stat(reference: string, path: string): Promise<PathStat> {
    const container = this.#parts.registry.get(reference);
    await using view = await openFiles(this.#parts, container, { volumes: true });
    return await statOf(view, reference, path);
  }

  async read(
    reference: string,
    path: string,
  ): Promise<{ readonly at: PathStat; readonly tar: AsyncGenerator<Uint8Array> }> {
    const container = this.#parts.registry.get(reference);
    const absolute = cleanButEnd(`/${path}`);
    const view = await openFiles(this.#parts, container, { volumes: true });
    try {
      const at = await statOf(view, reference, absolute);
      const tar = await pack(view, container, absolute, at);
      containerEvent(this.#parts.events, container, "archive-path");
      return { at, tar: until(tar, view) };
    } catch (error) {
      await view[Symbol.asyncDispose]();
      throw error;
    }
  }

  async write(reference: string, request: ExtractRequest, tar: AsyncIterable<Uint8Array>): Promise<void> {
    const container = this.#parts.registry.get(reference);
    refuseThrowAway(container, reference);
    await using view = await openFiles(this.#parts, container, { volumes: true });
    const { path } = request;
    const destination = await enter(view.session, path).catch((error) => {
      if (!(error instanceof KernelError) || error.errno !== "ENOTDIR") throw asFileError(error, path);
      throw new SampanError("invalid", "extraction point is not a directory", { cause: error });
    });
    if (destination === undefined) throw notThere(path, reference);
    checkWritable(container.record, destination);
    const owner = request.copyUidGid ? await this.#ownerOf(container) : undefined;
    const purpose = `copy files into ${destination} of container ${container.id.slice(0, 12)}`;
    const { noOverwriteDirNonDir } = request;
    await extractArchive(view.session, decompressed(tar, "the archive"), {
      ...{ purpose, destination, noOverwriteDirNonDir, owner },
    });
    containerEvent(this.#parts.events, container, "extract-to-dir");
  }

  async export(reference: string): Promise<AsyncGenerator<Uint8Array>> {
    const container = this.#parts.registry.get(reference);
    const view = await openFiles(this.#parts, container, { volumes: false });
    const reader = new TreeReader(view.session, `export container ${container.id.slice(0, 12)}`);
    const options = { from: "", as: "", withTop: false, entersMount: () => false, isUpper: false };
    containerEvent(this.#parts.events, container, "export");
    return until(packTree(reader, options), view);
  }

  changes(reference: string): Promise<FileChange[]> {
    return listChanges(this.#parts, this.#parts.registry.get(reference));
  }

  /** Whoever its process is started as; root's files stay whose they are. */
  async #ownerOf(container: Container): Promise<{ uid: number; gid: number } | undefined> {
    const { record, files, running } = container;
    if (record.config.User === "") return undefined;
    const where = running === undefined ? rootOf(this.#parts, record, files) : { pid: running.pid };
    const { uid, gid } = await this.#parts.runtime.resolveUser(where, record.config.User, []);
    return { uid, gid };
  }
}

async function statOf(view: FilesView, reference: string, path: string): Promise<PathStat> {
  const found = await locate(view.session, path).catch((error) => {
    throw asFileError(error, path);
  });
  if (found === undefined) throw notThere(path, reference);
  return { name: posix.basename(path) || "/", ...found };
}

async function pack(
  { session, live }: FilesView,
  { record, id }: Container,
  path: string,
  { stat, name }: PathStat,
): Promise<AsyncGenerator<Uint8Array>> {
  const isDirectory = (stat.mode & f.S_IFMT) === f.S_IFDIR;
  const where = await enter(session, isDirectory ? path : `${posix.dirname(path)}/`);
  if (where === undefined) throw new SampanError("conflict", `${path} was removed while it was looked at`);
  const reader = new TreeReader(session, `copy ${path} of container ${id.slice(0, 12)}`);
  const top = where === "/" ? "" : where;
  const destinations = record.mounts.map(({ destination }) => destination);
  const isIn = (at: string) => destinations.some((known) => at === known || at.startsWith(`${known}/`));
  // What the kernel and Sampan mount is no file of the container; what the user mounts is.
  const entersMount = (at: string) => !live || isIn(`${top}/${Buffer.from(at, "latin1").toString()}`);
  const bytes = Buffer.from(name).toString("latin1");
  if (!isDirectory) return packTree(reader, { from: bytes, as: bytes, withTop: true, entersMount, isUpper: false });
  return packTree(reader, { from: "", as: bytes, withTop: true, entersMount, isUpper: false });
}

/** Hands an archive on, and lets go of the view at its end, whatever that is: even when nobody asks for its first piece. */
function until(tar: AsyncGenerator<Uint8Array>, view: FilesView): AsyncGenerator<Uint8Array> {
  const reading = readOut(tar, view);
  const leave = reading.return.bind(reading);
  reading.return = async (value) => {
    const left = await leave(value);
    await view[Symbol.asyncDispose]();
    return left;
  };
  return reading;
}

async function* readOut(tar: AsyncGenerator<Uint8Array>, view: FilesView): AsyncGenerator<Uint8Array> {
  try {
    yield* tar;
  } finally {
    await view[Symbol.asyncDispose]();
  }
}

function refuseThrowAway({ record, running }: Container, reference: string): void {
  if (running !== undefined || !record.layers.includes("host")) return;
  const why = "its layer is thrown away with its process; start it first";
  throw new SampanError("conflict", `Cannot copy files into container ${reference}: it does not run, and ${why}`);
}

function notThere(path: string, reference: string): SampanError {
  return new SampanError("not-found", `Could not find the file ${path} in container ${reference}`);
}

/** Errors about a path, in the words of Go's os package. */
function asFileError(error: unknown, path: string): unknown {
  if (!(error instanceof KernelError)) return error;
  const words: Readonly<Record<string, string>> = {
    ENOTDIR: "not a directory",
    ELOOP: "too many levels of symbolic links",
    ENAMETOOLONG: "file name too long",
    EACCES: "permission denied",
  };
  const why = words[error.errno ?? ""];
  return why === undefined ? error : new SampanError("internal", `lstat ${path}: ${why}`, { cause: error });
}
