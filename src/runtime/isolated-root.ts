import { SampanError } from "../errors/index.ts";
import { named, type Slot } from "../kernel/block.ts";
import * as f from "../kernel/flags.ts";
import type { Program } from "../kernel/program.ts";
import { mapIds } from "./idmapped.ts";
import { copyTree, newMount } from "./mounting.ts";
import { attachAt, makeOverlay, mountOverlay, type Overlay } from "./overlay.ts";
import { isolateMounts } from "./rootfs.ts";
import type { KernelFeatures } from "./start.ts";
import type { LayersMount, RootFilesystem } from "./types.ts";
import { optionsOf, takePart } from "./user-mounts.ts";

/** By which the ids of layers are mapped, and the root user and group of it as the machine knows them. */
export interface Mapping {
  readonly namespace: Slot;
  readonly uid: number;
  readonly gid: number;
}

/** Where overlays are made. */
export interface Workshop {
  /** A directory that something can be put on for a moment, in a mount namespace that nobody sees. */
  readonly mountPoint: string;
  readonly mapping: Mapping | undefined;
  readonly kernel: KernelFeatures;
}

/** A detached overlay of layers whose ids are mapped by `mapping` (Linux 5.19), if that is given. */
export function makeMappedRoot(p: Program, { lower, upper, options = [] }: RootFilesystem, workshop: Workshop): Slot {
  if (upper === "throw-away") throw new SampanError("internal", "Cannot map the ids of a throw-away layer");
  return apart(p, () => makeMapped(p, { lower, upper, options }, workshop));
}

/** As `makeMappedRoot`, of what is seen of layers that are mounted in a container. */
export function takeMappedLayers(p: Program, mount: LayersMount, workshop: Workshop): Slot {
  const { lower, upper, subpath } = mount;
  const options = optionsOf(mount);
  return apart(p, () => {
    const whole = makeMapped(p, { lower, upper, options }, workshop);
    attachAt(p, whole, `${workshop.mountPoint}/root`, "put it where parts of it can be had");
    return takePart(p, whole, subpath);
  });
}

/** Does something in a mount namespace of its own, which the worker leaves again. */
function apart<T>(p: Program, body: () => T): T {
  const open = named(f.O_RDONLY | f.O_CLOEXEC, "O_RDONLY|O_CLOEXEC");
  const mounts = named(f.CLONE_NEWNS, "CLONE_NEWNS");
  const own = p.sys("openat", [f.AT_FDCWD, p.text("/proc/self/ns/mnt"), open, 0], {
    note: "keep the way back to the machine's mounts",
  });
  p.call("unshare", [mounts], { note: "mount where nobody sees it" });
  isolateMounts(p);
  const result = body();
  p.call("setns", [own, mounts], { note: "come back" });
  p.call("close", [own], { note: "that is done" });
  return result;
}

/** overlayfs is told its layers by paths: their directories are mounted for the moment in which it is made. */
function makeMapped(p: Program, layers: Overlay, workshop: Workshop): Slot {
  const overlay = placeLayers(p, layers, workshop);
  return asOwner(p, workshop.mapping, () =>
    workshop.kernel.lowerdirPlus ? makeOverlay(p, overlay, note) : mountAndTake(p, overlay, workshop.mountPoint),
  );
}

const note = "lay the image's layers over each other, with the container's own on top";

/**
 * What overlayfs does in its upper directory it does for ever as whoever has mounted it: it has to be somebody whom the mapping
 * knows, with every right of the machine's root (without SECBIT_NO_SETUID_FIXUP a change of user takes those of files away).
 */
function asOwner<T>(p: Program, mapping: Mapping | undefined, body: () => T): T {
  if (mapping === undefined) return body();
  const bits = named(f.PR_SET_SECUREBITS, "PR_SET_SECUREBITS");
  const keep = named(f.SECBIT_NO_SETUID_FIXUP, "SECBIT_NO_SETUID_FIXUP");
  p.call("prctl", [bits, keep, 0, 0, 0], { note: "keep every right as somebody else" });
  p.call("setfsgid", [mapping.gid], { note: "make files as the container's root group" });
  p.call("setfsuid", [mapping.uid], { note: "and as its root" });
  const result = body();
  p.call("setfsuid", [0], { note: "be the machine's root again" });
  p.call("setfsgid", [0], { note: "and its group" });
  p.call("prctl", [bits, 0, 0, 0, 0], { note: "as usual" });
  return result;
}

/** Mounts the directories that layers lie in, with their ids mapped; answers the overlay of what is there. */
function placeLayers(p: Program, { lower, upper, options }: Overlay, { mountPoint, mapping }: Workshop): Overlay {
  const own = upper === undefined ? [] : [upper.upper, upper.work];
  const places = new Map([...new Set([...lower, ...own].map(parentOf))].map((path, index) => [path, String(index)]));
  const scratch = newMount(p, {
    type: "tmpfs",
    options: [["mode", "0700"]],
    attributes: 0,
    note: "make a place for the layers",
  });
  attachAt(p, scratch, mountPoint, "put it where nobody sees it");
  for (const name of ["root", ...places.values()])
    p.call("mkdirat", [scratch, p.text(name), 0o755], { note: `make its directory ${name}` });
  for (const [path, name] of places) {
    const tree = copyTree(p, { directory: f.AT_FDCWD, path: p.text(path), recursive: false, note: `take ${path}` });
    if (mapping) mapIds(p, tree, mapping.namespace, { what: path, recursive: false });
    attachAt(p, tree, `${mountPoint}/${name}`, `put it in directory ${name}`);
    p.call("close", [tree], { note: "it is there" });
  }
  p.call("close", [scratch], { note: "the place is there" });
  const there = (path: string) =>
    `${mountPoint}/${places.get(parentOf(path))}/${path.slice(path.lastIndexOf("/") + 1)}`;
  return {
    lower: lower.map(there),
    upper: upper && { upper: there(upper.upper), work: there(upper.work) },
    options,
  };
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** Before Linux 6.5, an overlay is only made where it is mounted. */
function mountAndTake(p: Program, overlay: Overlay, mountPoint: string): Slot {
  const at = `${mountPoint}/root`;
  const mounted = mountOverlay(p, overlay, { at, kernel: { lowerdirPlus: false }, note });
  return copyTree(p, { directory: mounted, path: p.text(""), recursive: false, note: "take it from there" });
}
