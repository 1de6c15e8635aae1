import { named, type Slot } from "../../kernel/block.ts";
import * as f from "../../kernel/flags.ts";
import type { Program } from "../../kernel/program.ts";
import { Inside } from "../inside.ts";
import { newMount } from "../mounting.ts";
import type { BundleContainer, BundleMount, FileSystem } from "./types.ts";

/** A tmpfs that is filled with what the image has in its place, while the program waits for that (`tmpcopyup`). */
export interface CopyUp {
  readonly mount: FileSystem;
  /** In the worker: the root of the tmpfs, nowhere attached as yet. */
  readonly target: Slot;
  /** In the worker: the directory of the root file system; negative where it has none. */
  readonly source: Slot;
}

/**
 * Makes the file systems in memory that the image's files are copied into, and waits for the caller to copy: the program
 * replies, and reads a byte from `connection`. In the worker, which has the machine's rights; nobody else sees them.
 */
export function makeCopyUps(p: Program, { root, mounts }: BundleContainer, connection: number): readonly CopyUp[] {
  const wanted = mounts.filter((mount) => mount.kind === "file-system").filter(({ copyUp }) => copyUp === true);
  if (wanted.length === 0) return [];
  const directory = named(f.O_PATH | f.O_DIRECTORY | f.O_CLOEXEC, "O_PATH|O_DIRECTORY|O_CLOEXEC");
  const opened = p.sys("openat", [f.AT_FDCWD, p.text(root.directory), directory, 0], {
    note: "open the root file system",
  });
  const inside = new Inside(p, opened);
  const made = wanted.map((mount) => makeCopyUp(p, inside, mount));
  p.reply("let the image's files be copied");
  p.call("read", [connection, p.buffer(8, "byte"), 1], { note: "wait until they have been", full: true });
  return made;
}

function makeCopyUp(p: Program, inside: Inside, mount: FileSystem): CopyUp {
  const absent = p.label();
  const source = inside.open(mount.target, f.O_PATH | f.O_DIRECTORY, {
    note: `find ${mount.target} of the image`,
    missing: absent,
  });
  p.place(absent);
  const target = newMount(p, {
    type: mount.type,
    source: mount.source,
    options: mount.options,
    // Else nothing could be copied into it
    attributes: mount.attributes.set & ~f.MOUNT_ATTR_RDONLY,
    note: `make the ${mount.type} for ${mount.target}`,
  });
  return { mount, target, source };
}

/** The file systems that are there already, by their mounts. */
export function copiedUp(copyUps: readonly CopyUp[]): ReadonlyMap<BundleMount, Slot> {
  return new Map(copyUps.map(({ mount, target }) => [mount, target]));
}
