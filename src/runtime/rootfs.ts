import { type Named, named, type Slot } from "../kernel/block.ts";
import * as f from "../kernel/flags.ts";
import type { Program } from "../kernel/program.ts";
import { newMount } from "./mounting.ts";
import { attachAt, makeOverlay, mountOverlay, type Overlay } from "./overlay.ts";
import type { PreparedDirectory, RootFilesystem } from "./types.ts";

/**
 * Makes the overlay in the monitor, which keeps a descriptor of it: when the first process ends, the kernel does not make it
 * write the whole disk's dirty pages first (ovl_sync_fs), which takes a third of an end on an idle machine and seconds on a
 * busy one. The monitor lets go when everybody knows of the end. Undefined where the overlay has to be mounted in the
 * container's own mount namespace: on a layer in memory, and on kernels that take no layers one by one.
 */
export function makeRoot(p: Program, root: RootFilesystem, kernel: { lowerdirPlus: boolean }): Slot | undefined {
  if (root.upper === "throw-away" || !kernel.lowerdirPlus) return undefined;
  return makeOverlay(p, overlayOf(root, root.upper), note);
}

const note = "lay the image's layers over each other, with the container's own on top";

/**
 * Mounts the root file system (`made`, if the monitor has it) at its mount point, in this mount namespace only, and returns a
 * descriptor of its root.
 */
export function mountRoot(p: Program, root: RootFilesystem, kernel: { lowerdirPlus: boolean }, made?: Slot): Slot {
  const inMemory = root.upper === "throw-away";
  const upper = root.upper === "throw-away" ? throwAway(p, root) : root.upper;
  const at = inMemory ? `${root.mountPoint}/root` : root.mountPoint;
  if (made === undefined) return mountOverlay(p, overlayOf(root, upper), { at, kernel, note });
  attachAt(p, made, at, "put the root file system in its place; only this mount namespace sees it");
  return made;
}

function overlayOf({ lower, options = [] }: RootFilesystem, upper: { upper: string; work: string }): Overlay {
  return { lower, upper, options };
}

/** Makes every mount of the machine private to this namespace: nothing that is mounted or unmounted here gets out. */
export function isolateMounts(p: Program): void {
  setPropagation(p, named(f.MS_REC | f.MS_SLAVE, "MS_REC|MS_SLAVE"), "let no mount made here reach the machine");
}

/** How mounts at and below "/" of this mount namespace and their peers elsewhere follow each other (mount_namespaces(7)). */
export function setPropagation(p: Program, flags: Named | number, note: string): void {
  p.call("mount", [0, p.text("/"), 0, flags, 0], { note });
}

/** A tmpfs for the upper directory: it is gone when the mount namespace is. */
function throwAway(p: Program, root: RootFilesystem): { upper: string; work: string } {
  const scratch = newMount(p, {
    type: "tmpfs",
    options: [["mode", "0755"]],
    attributes: 0,
    note: "make a throw-away layer in memory",
  });
  for (const name of ["upper", "work", "root"]) {
    p.call("mkdirat", [scratch, p.text(name), 0o755], { note: `make its directory ${name}` });
  }
  attachAt(p, scratch, root.mountPoint, "put the throw-away layer in its place");
  for (const directory of root.prepared) prepare(p, `${root.mountPoint}/upper/${directory.path}`, directory);
  return { upper: `${root.mountPoint}/upper`, work: `${root.mountPoint}/work` };
}

function prepare(p: Program, path: string, directory: PreparedDirectory): void {
  const at = p.text(path);
  const { mode, uid, gid } = directory;
  p.call("mkdirat", [f.AT_FDCWD, at, mode], { note: `prepare /${directory.path} in it` });
  p.call("fchownat", [f.AT_FDCWD, at, uid, gid, 0], { note: "give it its owner" });
  p.call("fchmodat", [f.AT_FDCWD, at, named(mode, `0${mode.toString(8)}`)], { note: "and its rights" });
  if (!directory.opaque) return;
  p.call("setxattr", [at, p.text("trusted.overlay.opaque"), p.text("y"), 1, 0], {
    note: `hide what the layers have at /${directory.path}`,
  });
}

/**
 * Makes `root` the root of this mount namespace and lets go of the machine's. pivot_root(2) cannot move a ramfs root
 * (an initramfs); there, or without `pivot`, the new root is moved over the old one and entered by chroot(2), as
 * switch_root does.
 */
export function enterRoot(p: Program, root: Slot, options: { pivot: boolean } = { pivot: true }): void {
  const dot = p.text(".");
  const pivoted = p.label();
  const onRamfs = p.label();
  p.call("fchdir", [root], { note: "step into the new root" });
  if (!options.pivot) p.jump(onRamfs, "without pivot_root, as was asked for");
  p.call("pivot_root", [dot, dot], {
    note: "make it the root; the old one is stacked below",
    tolerate: ["EINVAL"],
    orElse: onRamfs,
  });
  p.call("umount2", [dot, named(f.MNT_DETACH, "MNT_DETACH")], { note: "let go of the machine's file systems" });
  p.jump(pivoted, "the root is in place");
  p.place(onRamfs);
  p.call("mount", [dot, p.text("/"), 0, named(f.MS_MOVE, "MS_MOVE"), 0], {
    note: "on a ramfs root: move the new root over it",
  });
  p.call("chroot", [dot], { note: "and enter it" });
  p.place(pivoted);
  p.call("chdir", [p.text("/")], { note: "start at the top of it" });
}
