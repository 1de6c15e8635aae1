import { statSync } from "node:fs";
import { named, type Slot } from "../kernel/block.ts";
import * as f from "../kernel/flags.ts";
import type { Program } from "../kernel/program.ts";
import type { Inside } from "./inside.ts";
import { attach, copyTree, newMount, setAttributes } from "./mounting.ts";

const BY_FD = named(f.MOVE_MOUNT_F_EMPTY_PATH | f.MOVE_MOUNT_T_EMPTY_PATH, "F_EMPTY_PATH|T_EMPTY_PATH");

/** Hides `paths`: a directory under an empty read-only one, a file under /dev/null. What is not there needs no hiding. */
export function maskPaths(p: Program, inside: Inside, dev: Slot, paths: readonly string[]): void {
  if (paths.length === 0) return;
  const empty = emptyDirectory(p);
  for (const path of paths) {
    const next = p.label();
    const target = inside.open(path, f.O_PATH, { note: `find ${path}`, missing: next });
    if (!isDirectoryHere(path)) {
      const isDirectory = p.label();
      const nothing = copyTree(p, { directory: dev, path: p.text("null"), recursive: false, note: "take /dev/null" });
      p.call("move_mount", [nothing, p.text(""), target, p.text(""), BY_FD], {
        note: `hide ${path}`,
        tolerate: ["ENOTDIR", "EINVAL"],
        orElse: isDirectory,
      });
      p.jump(next, `${path} is hidden`);
      p.place(isDirectory);
    }
    const nowhere = copyTree(p, {
      directory: empty,
      path: p.text(""),
      recursive: false,
      note: "take the empty directory",
    });
    attach(p, nowhere, target, `hide ${path}`);
    p.place(next);
  }
}

/** Before Linux 6.15 only what is attached can be copied; nobody looks at the machine's /proc here any more. */
function emptyDirectory(p: Program): Slot {
  const empty = newMount(p, {
    type: "tmpfs",
    options: [
      ["size", "0"],
      ["nr_inodes", "2"],
    ],
    attributes: f.MOUNT_ATTR_NOSUID | f.MOUNT_ATTR_NODEV | f.MOUNT_ATTR_NOEXEC | f.MOUNT_ATTR_RDONLY,
    note: "make an empty directory to hide others with",
  });
  p.call(
    "move_mount",
    [empty, p.text(""), f.AT_FDCWD, p.text("/proc"), named(f.MOVE_MOUNT_F_EMPTY_PATH, "MOVE_MOUNT_F_EMPTY_PATH")],
    { note: "put it where it can be copied from, until the machine's file systems go" },
  );
  return empty;
}

const directories = new Map<string, boolean>();

/**
 * /proc and /sys are the kernel's: what is a directory on the machine is one in a container, and needs no trying. The
 * first answer is kept: a directory stays one, and all else is tried anyway.
 */
function isDirectoryHere(path: string): boolean {
  if (!path.startsWith("/proc/") && !path.startsWith("/sys/")) return false;
  const known = directories.get(path);
  if (known !== undefined) return known;
  const found = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  directories.set(path, found);
  return found;
}

/** Makes what is there at `paths` read-only. */
export function protectPaths(p: Program, inside: Inside, paths: readonly string[]): void {
  for (const path of paths) {
    const next = p.label();
    const target = inside.open(path, f.O_PATH, { note: `find ${path}`, missing: next });
    const copy = copyTree(p, { directory: target, path: p.text(""), recursive: true, note: `take ${path} once more` });
    setAttributes(p, copy, { set: f.MOUNT_ATTR_RDONLY, recursive: false, note: "without the right to write" });
    attach(p, copy, target, `make ${path} read-only`);
    p.place(next);
  }
}
