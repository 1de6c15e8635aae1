import { readdir } from "node:fs/promises";
import { SampanError } from "../../errors/index.ts";
import { errnoNumber } from "../../kernel/errno.ts";
import type { Executor } from "../../kernel/executor.ts";
import * as flags from "../../kernel/flags.ts";
import { readable, type TarEntry } from "../tar/entry.ts";
import { copyUp } from "./copy-up.ts";
import type { DeferredLink, LayerWriter } from "./layer-writer.ts";
import type { Found, LowerView } from "./lower-view.ts";
import { baseOf, parentOf } from "./names.ts";
import type { Pipeline } from "./pipeline.ts";
import { makeOpaque, setByDescriptor } from "./steps.ts";
import type { Attributes, Directory } from "./tree.ts";

const { AT_FDCWD } = flags;
/** A directory that neither the archive nor a lower layer describes. */
const plain: Attributes = { mode: 0o755, uid: 0, gid: 0, mtime: undefined, xattrs: [] };

/** What the last part of unpacking works on. */
export interface Unfinished {
  readonly writer: LayerWriter;
  readonly pipeline: Pipeline;
  readonly executor: Executor;
  /** The half-made layer's directory. */
  readonly root: string;
  /** Directories of the lower layers, all of them there, top first. */
  readonly parents: readonly string[];
  readonly lower: LowerView;
}

/**
 * Does what had to wait for the end of the archive: links into lower layers, whiteouts (which must not hide what this
 * layer itself adds, whatever comes first in the archive), attributes of directories (whose times the files would change).
 */
export async function finishLayer(unfinished: Unfinished): Promise<void> {
  for (const link of unfinished.writer.deferredLinks) await makeDeferredLink(unfinished, link);
  await hideEverything(unfinished);
  addWhiteouts(unfinished);
  await inheritAttributes(unfinished);
  addDirectories(unfinished);
  await unfinished.pipeline.settle();
}

async function makeDeferredLink(unfinished: Unfinished, { name, target }: DeferredLink): Promise<void> {
  const { writer } = unfinished;
  // A later entry of the same name wins.
  if (writer.tree.kindOf(name) !== undefined) return;
  writer.directory(parentOf(name));
  const here = writer.find(target);
  if (here !== undefined) return writer.link(name, here);
  const found = await unfinished.lower.resolve(target);
  if (!found || found.probe.type === "directory") {
    const why = found ? "that is a directory" : "no layer has it";
    throw new SampanError("invalid", `Cannot link ${readable(name)} to ${readable(target)}: ${why}`);
  }
  const hidden = writer.whiteouts.has(target) || writer.whiteouts.has(found.name);
  const copy = hidden ? name : writer.place(found.name);
  await copyNode(unfinished, found, copy);
  if (copy !== name) writer.link(name, copy);
}

/** Makes `name` of the new layer what `found` is, as overlayfs does before a file is changed or linked. */
async function copyNode({ writer, pipeline, executor, root, lower }: Unfinished, found: Found, name: string) {
  const attributes = await lower.attributes(found);
  pipeline.batch.about(name);
  if (found.probe.type === "file") {
    await pipeline.settle();
    await copyUp(executor, found, root, name);
    const { batch } = pipeline;
    const open = batch.sys(
      "openat",
      AT_FDCWD,
      batch.text(name),
      flags.O_WRONLY | flags.O_NOFOLLOW | flags.O_CLOEXEC,
      0,
    );
    batch.into(open, 0);
    setByDescriptor(batch, batch.variable(0), attributes, false);
    batch.sys("close", batch.variable(0));
    writer.tree.set(name);
    return;
  }
  const linkName = found.probe.type === "symlink" ? await lower.linkTarget(found) : "";
  writer.makeNode(name, nodeEntry(found, attributes, linkName));
}

function nodeEntry({ probe, name }: Found, attributes: Attributes, linkName: string): TarEntry {
  const format = probe.mode & flags.S_IFMT;
  const device = format === flags.S_IFBLK ? "block" : format === flags.S_IFCHR ? "character" : "fifo";
  const type = probe.type === "symlink" ? "symlink" : device;
  const { major, minor, mtime } = probe;
  return { ...attributes, type, name, linkName, size: 0, mtime, major, minor, sparse: false };
}

/** overlayfs takes no notice of an opaque root, so everything in it is hidden one by one. */
async function hideEverything({ writer, parents }: Unfinished): Promise<void> {
  if (!writer.opaque.delete("")) return;
  for (const directory of parents) {
    for (const name of await readdir(directory, { encoding: "latin1" })) writer.whiteouts.add(name);
  }
}

function addWhiteouts({ writer, pipeline }: Unfinished): void {
  for (const name of writer.opaque) {
    const directory = writer.tree.directories.get(writer.directory(name));
    if (directory) directory.opaque = true;
  }
  for (const name of writer.whiteouts) {
    const parent = writer.directory(parentOf(name));
    const real = parent === "" ? baseOf(name) : `${parent}/${baseOf(name)}`;
    const directory = writer.tree.directories.get(real);
    if (directory) directory.opaque = true;
    if (writer.tree.kindOf(real) !== undefined) continue;
    const { batch } = pipeline;
    batch.about(name);
    batch.sys("mknodat", AT_FDCWD, batch.text(real), flags.S_IFCHR, 0);
    writer.tree.set(real);
    pipeline.sendIfFull();
  }
}

/** Directories that only had to be there for something in them look as they do in the layers below. */
async function inheritAttributes({ writer, lower, parents }: Unfinished): Promise<void> {
  if (parents.length === 0) return;
  const implicit = [...writer.tree.directories].filter(([, { attributes, opaque }]) => !attributes && !opaque);
  const found = await lower.find(implicit.map(([name]) => name));
  for (const [name, directory] of implicit) {
    const below = found.get(name);
    if (below?.probe.type === "directory") directory.attributes = await lower.attributes(below);
  }
}

/** The deepest first: a directory may forbid its owner to enter it. */
function addDirectories({ writer, pipeline }: Unfinished): void {
  const depth = (name: string) => (name === "" ? 0 : name.split("/").length);
  const byDepth = [...writer.tree.directories].map(([name, directory]) => ({ name, directory, depth: depth(name) }));
  for (const { name, directory } of byDepth.sort((a, b) => b.depth - a.depth)) {
    addDirectory(pipeline, name, directory);
    pipeline.sendIfFull();
  }
}

function addDirectory({ batch }: Pipeline, name: string, { attributes, opaque }: Directory): void {
  batch.about(name);
  const path = batch.text(name === "" ? "." : name);
  const open = batch.sys(
    "openat",
    AT_FDCWD,
    path,
    flags.O_RDONLY | flags.O_DIRECTORY | flags.O_NOFOLLOW | flags.O_CLOEXEC,
    0,
  );
  batch.into(open, 0);
  const fd = batch.variable(0);
  if (opaque) makeOpaque(batch, fd);
  setByDescriptor(batch, fd, attributes ?? plain, false);
  batch.sys("close", fd);
}

/** Brings everything written so far to the disk. */
export async function syncLayer(pipeline: Pipeline): Promise<void> {
  const { batch } = pipeline;
  batch.about("");
  batch.into(
    batch.sys("openat", AT_FDCWD, batch.text("."), flags.O_RDONLY | flags.O_DIRECTORY | flags.O_CLOEXEC, 0),
    0,
  );
  batch.sys("syncfs", batch.variable(0));
  batch.sys("close", batch.variable(0));
  await pipeline.settle();
}

/** errnos that say the archive asks for something impossible, rather than that the machine fails. */
const archiveErrnos = new Set(
  (
    ["ENOTDIR", "EISDIR", "ENAMETOOLONG", "ELOOP", "EEXIST", "ENOENT", "EFBIG", "EMLINK", "ERANGE", "EINVAL"] as const
  ).map(errnoNumber),
);

export function isArchivesFault(errno: number): boolean {
  return archiveErrnos.has(errno);
}
