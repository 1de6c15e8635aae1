import { named, type Ref, type Slot } from "../kernel/block.ts";
import * as f from "../kernel/flags.ts";
import type { Program } from "../kernel/program.ts";

/**
 * Mounts by file descriptor (fsopen, fsmount, open_tree, move_mount: Linux 5.2, mount_setattr: 5.12): a mount is
 * complete before it is attached, and it is attached to a directory that is open already, not to a path.
 */

/** Options of a file system in the order they are set; `true` is a flag. */
export type FsOptions = readonly (readonly [name: string, value: string | true])[];

export interface NewMount {
  /** "proc", "tmpfs", "overlay" … */
  readonly type: string;
  readonly options: FsOptions;
  /** MOUNT_ATTR_* */
  readonly attributes: number;
  /** What mountinfo calls its source; its type by default. */
  readonly source?: string;
  /** What it is for, an infinitive. */
  readonly note: string;
}

/** A new, complete, detached mount; its descriptor is its root directory. */
export function newMount(p: Program, mount: NewMount): Slot {
  const fs = p.sys("fsopen", [p.text(mount.type), named(f.FSOPEN_CLOEXEC, "FSOPEN_CLOEXEC")], { note: mount.note });
  const options: FsOptions = [["source", mount.source ?? mount.type], ...mount.options];
  for (const [name, value] of options) {
    const command =
      value === true ? named(f.FSCONFIG_SET_FLAG, "SET_FLAG") : named(f.FSCONFIG_SET_STRING, "SET_STRING");
    p.call("fsconfig", [fs, command, p.text(name), value === true ? 0 : p.text(value), 0], {
      note: value === true ? `with ${name}` : `with ${name}=${value}`,
    });
  }
  p.call("fsconfig", [fs, named(f.FSCONFIG_CMD_CREATE, "CMD_CREATE"), 0, 0, 0], {
    note: `make the ${mount.type} file system`,
  });
  return p.sys(
    "fsmount",
    [fs, named(f.FSMOUNT_CLOEXEC, "FSMOUNT_CLOEXEC"), named(mount.attributes, attributeNames(mount.attributes))],
    {
      note: `get a mount of it${mount.attributes ? ` with ${attributeNames(mount.attributes).toLowerCase()}` : ""}`,
    },
  );
}

/** A detached copy of what is mounted at `path` relative to `directory`, of the whole tree where `recursive`. */
export function copyTree(
  p: Program,
  from: { directory: Slot | number; path: Ref; recursive: boolean; note: string },
): Slot {
  const flags = f.OPEN_TREE_CLONE | f.OPEN_TREE_CLOEXEC | f.AT_EMPTY_PATH | (from.recursive ? f.AT_RECURSIVE : 0);
  const text = `OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH${from.recursive ? "|AT_RECURSIVE" : ""}`;
  return p.sys("open_tree", [from.directory, from.path, named(flags, text)], { note: from.note });
}

const MOVE_FDS = f.MOVE_MOUNT_F_EMPTY_PATH | f.MOVE_MOUNT_T_EMPTY_PATH;

/** Attaches a detached mount to an open directory or file. */
export function attach(p: Program, mount: Slot, at: Slot, note: string): void {
  const empty = p.text("");
  p.call("move_mount", [mount, empty, at, empty, named(MOVE_FDS, "F_EMPTY_PATH|T_EMPTY_PATH")], { note });
}

/** Sets attributes of a mount, or of the whole tree below it. */
export function setAttributes(
  p: Program,
  mount: Slot,
  change: { set?: number; clear?: number; propagation?: number; recursive: boolean; note: string },
): void {
  const { set = 0, clear = 0, propagation = 0 } = change;
  const shown = `{ set: ${attributeNames(set)}, clear: ${attributeNames(clear)}, propagation: ${propagation} }`;
  // struct mount_attr of mount_setattr(2)
  const attr = p.words([set, clear, propagation, 0], shown);
  const flags = f.AT_EMPTY_PATH | (change.recursive ? f.AT_RECURSIVE : 0);
  p.call(
    "mount_setattr",
    [mount, p.text(""), named(flags, `AT_EMPTY_PATH${change.recursive ? "|AT_RECURSIVE" : ""}`), attr, 32],
    {
      note: change.note,
    },
  );
}

const attributes: readonly (readonly [number, string])[] = [
  [f.MOUNT_ATTR_RDONLY, "RDONLY"],
  [f.MOUNT_ATTR_NOSUID, "NOSUID"],
  [f.MOUNT_ATTR_NODEV, "NODEV"],
  [f.MOUNT_ATTR_NOEXEC, "NOEXEC"],
  [f.MOUNT_ATTR_NOATIME, "NOATIME"],
  [f.MOUNT_ATTR_STRICTATIME, "STRICTATIME"],
  [f.MOUNT_ATTR_NODIRATIME, "NODIRATIME"],
  [f.MOUNT_ATTR_NOSYMFOLLOW, "NOSYMFOLLOW"],
];

function attributeNames(bits: number): string {
  return (
    attributes
      .filter(([bit]) => bits & bit)
      .map(([, name]) => name)
      .join("|") || "0"
  );
}
