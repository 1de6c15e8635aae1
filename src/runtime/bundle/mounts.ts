import { named, type Slot } from "../../kernel/block.ts";
import * as f from "../../kernel/flags.ts";
import type { Program } from "../../kernel/program.ts";
import type { Inside } from "../inside.ts";
import { attach, copyTree, newMount, setAttributes } from "../mounting.ts";
import { type CgroupView, mountCgroups } from "../system-mounts.ts";
import { propagations } from "../user-mounts.ts";
import { findMode, giveMode, lacksMode } from "./tmpfs.ts";
import type { BindOfMachine, BundleMount, FileSystem, MountAttributes, Remount } from "./types.ts";

/** What a user namespace's root may have no way to, taken before the process becomes that: the sources of binds. */
export function takeSources(p: Program, mounts: readonly BundleMount[]): ReadonlyMap<BundleMount, Slot> {
  const taken = new Map<BundleMount, Slot>();
  for (const mount of mounts) {
    if (mount.kind === "bind" && mount.idMap === undefined) taken.set(mount, takeSource(p, mount));
  }
  return taken;
}

/** What config.json lists as `mounts`, in its order; `taken` are sources that are there already. */
export function mountListed(
  p: Program,
  inside: Inside,
  mounts: readonly BundleMount[],
  cgroups: readonly CgroupView[],
  taken: ReadonlyMap<BundleMount, Slot>,
): void {
  for (const mount of mounts) {
    if (mount.kind === "file-system") mountFileSystem(p, inside, mount, taken.get(mount));
    else if (mount.kind === "bind") mountBind(p, inside, mount, taken.get(mount));
    else if (mount.kind === "remount") remount(p, inside, mount);
    else {
      const at = inside.directory(mount.target, `find ${mount.target}`);
      mountCgroups(p, at, cgroups, { writable: (mount.attributes.set & f.MOUNT_ATTR_RDONLY) === 0 });
    }
    inside.mounted(mount.target);
  }
}

/** The kernel's file systems must be where they seem to be: an image's link would have them mounted elsewhere (CVE-2023-27561). */
const withoutLinks: readonly string[] = ["proc", "sysfs"];

function mountFileSystem(p: Program, inside: Inside, mount: FileSystem, filled: Slot | undefined): void {
  const mode = lacksMode(mount) && filled === undefined ? findMode(p, inside, mount.target) : undefined;
  const at = withoutLinks.includes(mount.type)
    ? inside.directory(mount.target, `find ${mount.target}, which may be no link`, { links: false })
    : inside.directory(mount.target, `find ${mount.target}`);
  const made = filled ?? makeFileSystem(p, mount, mode);
  attach(p, made, at, `mount it at ${mount.target}`);
  const changed = filled !== undefined || mode !== undefined;
  if (changed && mount.attributes.set & f.MOUNT_ATTR_RDONLY)
    setAttributes(p, made, { set: f.MOUNT_ATTR_RDONLY, recursive: false, note: "read-only from now on" });
  setPropagations(p, made, mount);
}

function makeFileSystem(p: Program, { type, source, options, attributes, target }: FileSystem, mode?: Slot): Slot {
  const set = mode === undefined ? attributes.set : attributes.set & ~f.MOUNT_ATTR_RDONLY;
  const made = newMount(p, { type, source, options, attributes: set, note: `make the ${type} for ${target}` });
  if (mode !== undefined) giveMode(p, made, mode);
  return made;
}

function takeSource(p: Program, mount: BindOfMachine): Slot {
  return copyTree(p, {
    directory: f.AT_FDCWD,
    path: p.text(mount.source),
    recursive: mount.recursive,
    note: `take ${mount.source} of the machine`,
  });
}

function mountBind(p: Program, inside: Inside, mount: BindOfMachine, taken: Slot | undefined): void {
  const tree = taken ?? takeSource(p, mount);
  changeAttributes(p, tree, mount.attributes);
  setPropagations(p, tree, mount);
  const note = `find ${mount.target}`;
  const at = mount.sourceIsDirectory ? inside.directory(mount.target, note) : inside.file(mount.target, note);
  attach(p, tree, at, `mount it at ${mount.target}`);
}

function remount(p: Program, inside: Inside, mount: Remount): void {
  const at = inside.open(mount.target, f.O_PATH, { note: `find ${mount.target}` });
  changeAttributes(p, at, mount.attributes);
  setPropagations(p, at, mount);
}

function changeAttributes(p: Program, tree: Slot, attributes: MountAttributes): void {
  const { set, clear, recursiveSet, recursiveClear } = attributes;
  if (recursiveSet || recursiveClear)
    setAttributes(p, tree, {
      set: recursiveSet,
      clear: recursiveClear,
      recursive: true,
      note: "with the attributes that all below are to have",
    });
  if (set || clear) setAttributes(p, tree, { set, clear, recursive: false, note: "with the attributes it is to have" });
}

function setPropagations(p: Program, tree: Slot, { propagation }: BundleMount): void {
  for (const name of propagation) {
    const { flag, recursive } = propagations[name];
    setAttributes(p, tree, { propagation: flag, recursive, note: `with ${name} propagation` });
  }
}

/** The root file system: the bundle's directory, mounted over itself in this mount namespace. */
export function mountDirectory(p: Program, directory: string): Slot {
  const root = copyTree(p, {
    directory: f.AT_FDCWD,
    path: p.text(directory),
    recursive: true,
    note: "take the root file system",
  });
  // Else what is mounted in the container would appear in the bundle's directory, where that is shared
  setAttributes(p, root, { propagation: f.MS_PRIVATE, recursive: false, note: "for this container alone" });
  const flags = named(f.MOVE_MOUNT_F_EMPTY_PATH, "MOVE_MOUNT_F_EMPTY_PATH");
  p.call("move_mount", [root, p.text(""), f.AT_FDCWD, p.text(directory), flags], {
    note: "put it in its place; only this mount namespace sees it",
  });
  return root;
}
