import { named, type Slot } from "../kernel/block.ts";
import * as f from "../kernel/flags.ts";
import type { Program } from "../kernel/program.ts";

/**
 * Maps the owners that a detached mount shows by a user namespace (mount_setattr(2), Linux 5.12): id n of the file system is
 * whoever is n in there. EINVAL is the answer of a file system that knows nothing of that, or of one mounted below.
 */
export function mapIds(
  p: Program,
  tree: Slot,
  users: Slot,
  { what, recursive }: { readonly what: string; readonly recursive: boolean },
): void {
  // struct mount_attr of mount_setattr(2)
  const attr = p.words([f.MOUNT_ATTR_IDMAP, 0, 0, 0], "{ set: IDMAP, userns_fd }");
  p.copy(users, attr.at(24), "name the user namespace");
  const flags = f.AT_EMPTY_PATH | (recursive ? f.AT_RECURSIVE : 0);
  const shown = `AT_EMPTY_PATH${recursive ? "|AT_RECURSIVE" : ""}`;
  p.call("mount_setattr", [tree, p.text(""), named(flags, shown), attr, f.MOUNT_ATTR_SIZE_VER0], {
    note: `map the ids of ${what}, if its file system can`,
  });
}
