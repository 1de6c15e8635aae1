import { SampanError } from "../errors/index.ts";
import { named, type Slot } from "../kernel/block.ts";
import * as f from "../kernel/flags.ts";
import type { Program } from "../kernel/program.ts";
import { type FsOptions, newMount } from "./mounting.ts";

/** Directories laid over each other (overlayfs.rst). */
export interface Overlay {
  /** Top first; two at least where there is no upper one. */
  readonly lower: readonly string[];
  /** Where changes go; without it there are none. */
  readonly upper: { readonly upper: string; readonly work: string } | undefined;
  /** Further options, each "name=value", or a name alone. */
  readonly options: readonly string[];
}

/** Below this many bytes the lower directories fit the one page of options that mount(2) takes. */
const MOUNT_OPTIONS_LIMIT = 4095;

/** A detached overlay; its descriptor is its root. Layers are handed over one by one ("lowerdir+", Linux 6.5). */
export function makeOverlay(p: Program, { lower, upper, options }: Overlay, note: string): Slot {
  const all: FsOptions = [
    ...lower.map((directory) => ["lowerdir+", directory] as const),
    ...(upper === undefined
      ? []
      : ([
          ["upperdir", upper.upper],
          ["workdir", upper.work],
        ] as const)),
    ...options.map(pair),
  ];
  return newMount(p, { type: "overlay", options: all, attributes: 0, note });
}

/**
 * Mounts an overlay at a path, in a mount namespace that nobody else sees, and returns a descriptor of its root. Kernels
 * before Linux 6.5 get the layers in one string (mount(2)).
 */
export function mountOverlay(
  p: Program,
  overlay: Overlay,
  {
    at,
    kernel,
    note,
  }: { readonly at: string; readonly kernel: { readonly lowerdirPlus: boolean }; readonly note: string },
): Slot {
  if (!kernel.lowerdirPlus) return mountAtOnce(p, overlay, at, note);
  const mount = makeOverlay(p, overlay, note);
  attachAt(p, mount, at, "put it in its place; only this mount namespace sees it");
  return mount;
}

/** Puts a detached mount at a path. */
export function attachAt(p: Program, mount: Slot, path: string, note: string): void {
  p.call(
    "move_mount",
    [mount, p.text(""), f.AT_FDCWD, p.text(path), named(f.MOVE_MOUNT_F_EMPTY_PATH, "MOVE_MOUNT_F_EMPTY_PATH")],
    { note },
  );
}

function pair(option: string): readonly [string, string | true] {
  const [name = "", value] = option.split("=", 2);
  return [name, value ?? true];
}

function mountAtOnce(
  p: Program,
  { lower: directories, upper, options: more }: Overlay,
  at: string,
  note: string,
): Slot {
  const prefix = commonDirectory(directories);
  const lower = directories
    .map((directory) => escapeOption(prefix ? directory.slice(prefix.length + 1) : directory))
    .join(":");
  const own =
    upper === undefined ? [] : [`upperdir=${escapeOption(upper.upper)}`, `workdir=${escapeOption(upper.work)}`];
  const options = [`lowerdir=${lower}`, ...own, ...more].join(",");
  if (Buffer.byteLength(options) > MOUNT_OPTIONS_LIMIT) {
    throw new SampanError(
      "unsupported",
      `Cannot mount ${directories.length} layers: their names do not fit one page of mount options; Linux 6.5 takes them one by one`,
    );
  }
  if (prefix)
    p.call("chdir", [p.text(prefix)], {
      note: "name the layers relative to their directory: the kernel takes one page of options",
    });
  p.call("mount", [p.text("overlay"), p.text(at), p.text("overlay"), 0, p.text(options)], { note });
  return p.sys(
    "openat",
    [f.AT_FDCWD, p.text(at), named(f.O_PATH | f.O_DIRECTORY | f.O_CLOEXEC, "O_PATH|O_DIRECTORY|O_CLOEXEC"), 0],
    { note: "open what is mounted" },
  );
}

/** Characters that part the options and the layers of overlayfs. */
function escapeOption(path: string): string {
  return path.replace(/[\\:,]/g, "\\$&");
}

/** The directory that all of them lie directly in, if there is one. */
function commonDirectory(paths: readonly string[]): string | undefined {
  const parents = new Set(paths.map((path) => path.slice(0, path.lastIndexOf("/"))));
  const [only] = parents;
  return parents.size === 1 && only ? only : undefined;
}
