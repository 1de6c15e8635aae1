import type { Slot } from "../../kernel/block.ts";
import * as f from "../../kernel/flags.ts";
import type { Program } from "../../kernel/program.ts";
import { mapIds } from "../idmapped.ts";
import { copyTree } from "../mounting.ts";
import { type IdMappings, makeUserNamespace } from "../user-namespace.ts";
import type { BindOfMachine, BundleMount } from "./types.ts";

/** With which ids a mount shows its files' owners. */
export interface IdMap {
  /** "container": those of the container's user namespace. */
  readonly mappings: IdMappings | "container";
  /** What is mounted below, too. */
  readonly recursive: boolean;
}

/**
 * Takes the sources of idmapped mounts (mount_setattr(2), Linux 5.12), in the worker: the container's root may not. The file
 * system has to know of them; EINVAL is the answer of one that does not. `container` is the user namespace of the container.
 */
export function takeIdmapped(
  p: Program,
  mounts: readonly BundleMount[],
  container: () => Slot,
): ReadonlyMap<BundleMount, Slot> {
  const taken = new Map<BundleMount, Slot>();
  for (const mount of mounts) {
    if (mount.kind !== "bind" || mount.idMap === undefined) continue;
    taken.set(mount, takeSource(p, mount, mount.idMap, container));
  }
  return taken;
}

function takeSource(
  p: Program,
  { source, recursive }: BindOfMachine,
  { mappings, recursive: below }: IdMap,
  container: () => Slot,
): Slot {
  const users = mappings === "container" ? container() : makeUserNamespace(p, mappings, "to map a mount's ids by");
  const note = `take ${source} of the machine`;
  const tree = copyTree(p, { directory: f.AT_FDCWD, path: p.text(source), recursive, note });
  mapIds(p, tree, users, { what: source, recursive: below });
  return tree;
}
