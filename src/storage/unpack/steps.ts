import type { Batch, Operand } from "../../kernel/batch.ts";
import { errnoNumber } from "../../kernel/errno.ts";
import * as flags from "../../kernel/flags.ts";
import type { Attributes } from "./tree.ts";

const EPERM = errnoNumber("EPERM");
const EOPNOTSUPP = errnoNumber("EOPNOTSUPP");

/** A directory outside of the layer's: what an entry replaces is moved there. The session keeps it open. */
export const TRASH_FD = 100;
/** A file whose data takes several batches. */
export const KEPT_FD = 101;

/** The file that the archive is, where it is one: what was not seen is copied out of it. */
export const ARCHIVE_FD = 104;

const { AT_FDCWD, AT_SYMLINK_NOFOLLOW } = flags;

/**
 * Attributes that no image may bring: those are the administrator's, and `trusted.overlay.*` would let a layer point
 * overlayfs elsewhere.
 */
export function isForbiddenXattr(name: string): boolean {
  return name.startsWith("trusted.") || name.startsWith("user.overlay.");
}

/**
 * Gives an open file its attributes. Order matters: chown takes set-id bits and capabilities away, and everything else
 * changes the time. `hasMode`: it was made with its mode and root as owner, so for most files there is nothing to do.
 */
export function setByDescriptor(batch: Batch, fd: Operand, attributes: Attributes, hasMode: boolean): void {
  const { uid, gid, mode, mtime, xattrs } = attributes;
  const chown = !hasMode || uid !== 0 || gid !== 0;
  if (chown) batch.sys("fchown", fd, uid, gid);
  if (!hasMode || (chown && (mode & 0o6000) !== 0)) batch.sys("fchmod", fd, mode);
  setXattrs(batch, "fsetxattr", fd, xattrs);
  if (mtime) batch.sys("utimensat", fd, 0, times(batch, mtime), 0);
}

/** Gives what was just made with its mode (a symbolic link, device or fifo) the rest, without following links. */
export function setByPath(batch: Batch, path: Operand, attributes: Attributes, isLink: boolean): void {
  const { uid, gid, mode, mtime, xattrs } = attributes;
  if (uid !== 0 || gid !== 0) {
    batch.sys("fchownat", AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
    if (!isLink && (mode & 0o6000) !== 0) batch.sys("fchmodat", AT_FDCWD, path, mode);
  }
  setXattrs(batch, "lsetxattr", path, xattrs);
  if (mtime) batch.sys("utimensat", AT_FDCWD, path, times(batch, mtime), AT_SYMLINK_NOFOLLOW);
}

function times(batch: Batch, { seconds, nanoseconds }: NonNullable<Attributes["mtime"]>): Operand {
  return batch.words([seconds, nanoseconds, seconds, nanoseconds]);
}

function setXattrs(
  batch: Batch,
  call: "fsetxattr" | "lsetxattr",
  on: Operand,
  xattrs: readonly (readonly [name: string, value: Buffer])[],
): void {
  for (const [name, value] of xattrs) {
    if (isForbiddenXattr(name)) continue;
    const step = batch.sys(call, on, batch.text(name), value.length > 0 ? batch.append(value) : 0, value.length, 0);
    // A file system without extended attributes is no reason to refuse an image; losing a capability is one.
    if (name.startsWith("user.")) batch.tolerate(step, EOPNOTSUPP, EPERM);
    else if (name !== "security.capability") batch.tolerate(step, EOPNOTSUPP);
  }
}

/** Moves what is at `name` out of the way. */
export function discard(batch: Batch, name: string, trashName: string): void {
  batch.sys("renameat", AT_FDCWD, batch.text(name), TRASH_FD, batch.text(trashName));
}

/** Makes the open directory `fd` hide what is below it (kernel Documentation/filesystems/overlayfs.rst). */
export function makeOpaque(batch: Batch, fd: Operand): void {
  batch.sys("fsetxattr", fd, batch.text("trusted.overlay.opaque"), batch.text("y"), 1, 0);
}
