import { named, type Ref, type Slot } from "../kernel/block.ts";
import * as f from "../kernel/flags.ts";
import type { Program } from "../kernel/program.ts";
import type { Inside } from "./inside.ts";
import { attach, copyTree, type FsOptions, newMount, setAttributes } from "./mounting.ts";
import { mountOverlay } from "./overlay.ts";
import type { BindMount, LayersMount, Mount, Propagation, TmpfsMount } from "./types.ts";

export const propagations: Record<Propagation, { flag: number; recursive: boolean }> = {
  private: { flag: f.MS_PRIVATE, recursive: false },
  rprivate: { flag: f.MS_PRIVATE, recursive: true },
  shared: { flag: f.MS_SHARED, recursive: false },
  rshared: { flag: f.MS_SHARED, recursive: true },
  slave: { flag: f.MS_SLAVE, recursive: false },
  rslave: { flag: f.MS_SLAVE, recursive: true },
  unbindable: { flag: f.MS_UNBINDABLE, recursive: false },
  runbindable: { flag: f.MS_UNBINDABLE, recursive: true },
};

/** What overlays are mounted with. */
interface MountHost {
  /** A directory that something can be put on for a moment, in this mount namespace. */
  readonly mountPoint: string;
  readonly kernel: { readonly lowerdirPlus: boolean };
}

/** Trees of the machine that were taken while they could still be had as the machine's own. */
type TakenTrees = ReadonlyMap<Mount, Slot>;

/**
 * Takes what is mounted in the container as shared with the machine: what either mounts there, both see. That is so only for
 * copies of the machine's own mounts, before `isolateMounts` makes this namespace's a follower of these.
 */
export function takeShared(p: Program, mounts: readonly Mount[]): TakenTrees {
  const shared = mounts.filter((mount) => mount.type === "bind" && /^r?shared$/.test(mount.propagation));
  return new Map(shared.map((mount) => [mount, takeTree(p, mount as BindMount)]));
}

/** What the user asked for with -v, --mount and --tmpfs, and the files that Sampan gives every container. */
export function mountAll(
  p: Program,
  inside: Inside,
  mounts: readonly Mount[],
  host: MountHost,
  taken: TakenTrees = new Map(),
): void {
  for (const mount of mounts) {
    if (mount.type === "bind") mountBind(p, inside, mount, taken.get(mount) ?? takeTree(p, mount));
    else if (mount.type === "tmpfs") mountTmpfs(p, inside, mount);
    else mountLayers(p, inside, mount, taken.get(mount) ?? takeLayers(p, mount, host));
  }
}

/** A detached copy of what a bind shows. */
export function takeTree(p: Program, mount: BindMount): Slot {
  const { recursive, source } = mount;
  return copyTree(p, { ...sourceOf(p, mount), recursive, note: `take ${source} of the machine` });
}

function mountBind(p: Program, inside: Inside, mount: BindMount, tree: Slot): void {
  const { flag, recursive } = propagations[mount.propagation];
  const readOnlyBelow = mount.recursive && !mount.writableBelow;
  const atOnce = mount.readOnly && readOnlyBelow === recursive;
  setAttributes(p, tree, {
    set: atOnce ? f.MOUNT_ATTR_RDONLY : 0,
    propagation: flag,
    recursive,
    note: `${atOnce ? "read-only, " : ""}with ${mount.propagation} propagation`,
  });
  if (mount.readOnly && !atOnce) {
    const note = readOnlyBelow ? "read-only with all below it" : "read-only, and nothing below it";
    setAttributes(p, tree, { set: f.MOUNT_ATTR_RDONLY, recursive: readOnlyBelow, note });
  }
  attach(p, tree, targetOf(inside, mount), `mount it at ${mount.target}`);
}

function sourceOf(p: Program, { source, within, subpath = "" }: BindMount): { directory: Slot | number; path: Ref } {
  if (within === undefined) return { directory: f.AT_FDCWD, path: p.text(source) };
  const open = named(f.O_PATH | f.O_DIRECTORY | f.O_CLOEXEC, "O_PATH|O_DIRECTORY|O_CLOEXEC");
  const directory = p.sys("openat", [f.AT_FDCWD, p.text(within), open, 0], { note: `open ${within}` });
  return { directory: partOf(p, directory, { path: p.text(subpath), shown: subpath }), path: p.text("") };
}

/** A descriptor of what a path leads to inside a directory. */
function partOf(p: Program, directory: Slot, { path, shown }: { readonly path: Ref; readonly shown: string }): Slot {
  const how = p.words(
    [f.O_PATH | f.O_CLOEXEC, 0, f.RESOLVE_IN_ROOT | f.RESOLVE_NO_MAGICLINKS],
    "{ resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS }",
  );
  return p.sys("openat2", [directory, path, how, 24], { note: `find ${shown} inside of it` });
}

function targetOf(inside: Inside, mount: Pick<BindMount, "target" | "sourceIsDirectory">): Slot {
  const note = `find ${mount.target}`;
  return mount.sourceIsDirectory ? inside.directory(mount.target, note) : inside.file(mount.target, note);
}

/**
 * The overlay is in a place of this mount namespace while the part of it is taken: before Linux 6.15 parts of mounts that are
 * in none cannot be.
 */
function takeLayers(p: Program, mount: LayersMount, { mountPoint, kernel }: MountHost): Slot {
  const { lower, upper, subpath, target } = mount;
  const note = `lay the layers over each other that are seen at ${target}`;
  const whole = mountOverlay(p, { lower, upper, options: optionsOf(mount) }, { at: mountPoint, kernel, note });
  const tree = takePart(p, whole, subpath);
  p.call("umount2", [p.text(mountPoint), named(f.MNT_DETACH, "MNT_DETACH")], { note: "clear that place again" });
  return tree;
}

/** Nobody needs what is written there on the disk: nothing is waited for when it ends. */
export function optionsOf({ upper, options }: LayersMount): readonly string[] {
  return upper === undefined ? options : [...options, "volatile"];
}

/** A detached copy of what a path, a character for each byte, leads to inside an overlay; "" is all. */
export function takePart(p: Program, whole: Slot, subpath: string): Slot {
  const path = p.bytes(Buffer.from(`${subpath}\0`, "latin1"), JSON.stringify(subpath));
  const part = subpath === "" ? whole : partOf(p, whole, { path, shown: subpath });
  return copyTree(p, { directory: part, path: p.text(""), recursive: false, note: `take /${subpath} of them` });
}

function mountLayers(p: Program, inside: Inside, mount: LayersMount, tree: Slot): void {
  const { target } = mount;
  attach(p, tree, targetOf(inside, mount), `mount it at ${target}`);
}

function mountTmpfs(p: Program, inside: Inside, mount: TmpfsMount): void {
  const options: FsOptions = [
    ["mode", `0${mount.mode.toString(8)}`],
    ...(mount.size === undefined ? [] : [["size", String(mount.size)] as const]),
    ...(mount.uid === undefined ? [] : [["uid", String(mount.uid)] as const]),
    ...(mount.gid === undefined ? [] : [["gid", String(mount.gid)] as const]),
  ];
  const attributes =
    (mount.readOnly ? f.MOUNT_ATTR_RDONLY : 0) |
    (mount.exec ? 0 : f.MOUNT_ATTR_NOEXEC) |
    (mount.suid ? 0 : f.MOUNT_ATTR_NOSUID) |
    (mount.dev ? 0 : f.MOUNT_ATTR_NODEV);
  const tmpfs = newMount(p, {
    type: "tmpfs",
    options,
    attributes,
    note: `make a file system in memory for ${mount.target}`,
  });
  attach(p, tmpfs, inside.directory(mount.target, `find ${mount.target}`), `mount it at ${mount.target}`);
}

/** Makes the root itself read-only; what is mounted below keeps its own right. */
export function protectRoot(p: Program, root: Slot): void {
  setAttributes(p, root, { set: f.MOUNT_ATTR_RDONLY, recursive: false, note: "make the root file system read-only" });
}

/** sysctls of the container's own namespaces, written before /proc/sys becomes read-only. */
export function setSysctls(p: Program, proc: Slot, sysctls: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(sysctls)) {
    const path = `sys/${name.replaceAll(".", "/")}`;
    const file = p.sys("openat", [proc, p.text(path), named(f.O_WRONLY | f.O_CLOEXEC, "O_WRONLY|O_CLOEXEC"), 0], {
      note: `open the sysctl ${name}`,
    });
    p.call("write", [file, p.text(value), Buffer.byteLength(value)], { note: `set ${name} to ${value}`, full: true });
  }
}
