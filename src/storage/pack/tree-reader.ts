import type { Ref, Slot } from "../../kernel/block.ts";
import type { Session } from "../../kernel/executor.ts";
import * as flags from "../../kernel/flags.ts";
import { Program } from "../../kernel/program.ts";
import type { Results } from "../../kernel/results.ts";
import { type DirectoryEntry, directoryEntries, positionAfter } from "../unpack/directory-entries.ts";
import { pathBytes } from "../unpack/probe.ts";

/** The session's /proc/self/fd: what was looked at is opened by it, whatever has its name by then. */
export const PROC_FD = 102;
/** The session's descriptor of the file that an archive of the tree is written to, where it has been given one. */
export const ARCHIVE_FD = 103;
/** Descriptors of what `look` has found are this and the next. */
const LOOKED_FD = 200;
/** So many names are looked at by one program. */
export const LOOK = 128;
const NAMES = 32 * 1024;
const STATX_BASIC_STATS = 0x7ff;
const STATX_ATTR_MOUNT_ROOT = 0x2000;
const XATTR_NAMES = 512;
const XATTR_VALUE = 65536;

/** What is at a name. Numbers as statx(2) has them. */
export interface Stat {
  /** Type bits included. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly links: number;
  /** Tells an inode from all others. */
  readonly inode: string;
  readonly mtime: { readonly seconds: number; readonly nanoseconds: number };
  readonly major: number;
  readonly minor: number;
  /** Something is mounted there. */
  readonly isMount: boolean;
}

/** Bytes of results that `statx` needs. */
export const STATX_SIZE = 256;

/** Adds a statx(2) of an open descriptor. */
export function addStat(p: Program, fd: Slot | number): Ref {
  const stat = p.buffer(STATX_SIZE);
  p.call("statx", [fd, p.text(""), flags.AT_EMPTY_PATH, STATX_BASIC_STATS, stat], { note: "see what it is" });
  return stat;
}

/** Reads what `addStat` has left. */
export function readStat(bytes: Buffer): Stat {
  return {
    mode: bytes.readUInt16LE(28),
    uid: bytes.readUInt32LE(20),
    gid: bytes.readUInt32LE(24),
    size: Number(bytes.readBigUInt64LE(40)),
    links: bytes.readUInt32LE(16),
    inode: `${bytes.readUInt32LE(136)}:${bytes.readUInt32LE(140)}:${bytes.readBigUInt64LE(32)}`,
    mtime: { seconds: Number(bytes.readBigInt64LE(112)), nanoseconds: bytes.readUInt32LE(120) },
    major: bytes.readUInt32LE(128),
    minor: bytes.readUInt32LE(132),
    isMount: (bytes.readBigUInt64LE(8) & BigInt(STATX_ATTR_MOUNT_ROOT)) !== 0n,
  };
}

/** Opens what `look` has found at place `index`, and nothing else. */
export function reopen(p: Program, index: number, how: number): Slot {
  return p.sys("openat", [PROC_FD, p.text(String(LOOKED_FD + index)), how | flags.O_CLOEXEC | flags.O_NOCTTY, 0], {
    note: "open what was looked at",
  });
}

/**
 * Reads a tree that others may be changing. All names are byte strings relative to the session's directory, links on the
 * way are not followed, and nothing is opened but what was seen to be a file or directory.
 */
export class TreeReader {
  readonly session: Session;
  readonly #purpose: string;

  constructor(session: Session, purpose: string) {
    this.session = session;
    this.#purpose = purpose;
  }

  program(): Program {
    return new Program(this.#purpose);
  }

  /** The names in a directory, in the order of their bytes; none when it has gone. */
  async names(directory: string): Promise<DirectoryEntry[]> {
    const entries: DirectoryEntry[] = [];
    for (let from = 0n; ; ) {
      const p = this.program();
      const next = p.label();
      const fd = openBeneath(p, directory, flags.O_RDONLY | flags.O_DIRECTORY, next);
      if (from !== 0n) p.call("lseek", [fd, from, flags.SEEK_SET], { note: "go on where the last reading ended" });
      const bytes = p.buffer(NAMES);
      const length = p.sys("getdents64", [fd, bytes, NAMES], { note: "read its names", tolerate: ["ENOENT"] });
      p.call("close", [fd], { note: "close it" });
      p.place(next);
      const results = await this.session.run(p);
      const read = results.value(fd) < 0 ? Buffer.alloc(0) : results.bytes(bytes, results.value(length));
      if (read.length === 0) return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
      entries.push(...directoryEntries(read));
      from = positionAfter(read);
    }
  }

  /** Looks at names, `LOOK` at most, and keeps them open for `reopen` until the next look; undefined: it has gone. */
  async look(names: readonly string[]): Promise<(Stat | undefined)[]> {
    const p = this.program();
    p.call("close_range", [LOOKED_FD, LOOKED_FD + LOOK, 0], { note: "forget what was looked at before" });
    const looks = names.map((name, index) => {
      const next = p.label();
      const fd = openBeneath(p, name, flags.O_PATH | flags.O_NOFOLLOW, next);
      const stat = addStat(p, fd);
      p.call("dup3", [fd, LOOKED_FD + index, flags.O_CLOEXEC], { note: "keep it" });
      p.call("close", [fd], { note: "close the other" });
      p.place(next);
      return { fd, stat };
    });
    const results = await this.session.run(p);
    return looks.map(({ fd, stat }) => (results.value(fd) < 0 ? undefined : readStat(results.bytes(stat))));
  }

  /** Steps that read the target of the symbolic link at place `index`. */
  addLink(p: Program, index: number): (results: Results) => string {
    const buffer = p.buffer(4096);
    const length = p.sys("readlinkat", [LOOKED_FD + index, p.text(""), buffer, 4096], { note: "read the link" });
    return (results) => results.bytes(buffer, results.value(length)).toString("latin1");
  }

  /** Steps that list the extended attributes of an open file; undefined: there are more than fit. */
  addXattrNames(p: Program, fd: Slot): (results: Results) => string[] | undefined {
    const list = p.buffer(XATTR_NAMES);
    const length = p.sys("flistxattr", [fd, list, XATTR_NAMES], {
      note: "list its extended attributes",
      tolerate: ["EOPNOTSUPP", "ERANGE"],
    });
    return (results) => {
      const read = results.value(length);
      if (read < 0) return read === -34 ? undefined : [];
      return results.bytes(list, read).toString("latin1").split("\0").filter(Boolean);
    };
  }

  /** Values of extended attributes of what is open at place `index`. */
  async xattrs(index: number, how: number, names: readonly string[]): Promise<(readonly [string, Buffer])[]> {
    if (names.length === 0) return [];
    const p = this.program();
    const fd = reopen(p, index, how);
    const reads = names.map((name) => {
      const value = p.buffer(XATTR_VALUE);
      const length = p.sys("fgetxattr", [fd, pathBytes(p, name), value, XATTR_VALUE], {
        note: `read ${name}`,
        tolerate: ["ENODATA"],
      });
      return { name, value, length };
    });
    p.call("close", [fd], { note: "close it" });
    const results = await this.session.run(p);
    return reads.flatMap(({ name, value, length }) =>
      results.value(length) < 0 ? [] : [[name, Buffer.from(results.bytes(value, results.value(length)))] as const],
    );
  }
}

/** struct open_how for a path that must not leave the current directory, nor pass a link; mounts may be passed. */
function openBeneath(p: Program, name: string, how: number, gone: ReturnType<Program["label"]>): Slot {
  const resolve = flags.RESOLVE_BENEATH | flags.RESOLVE_NO_SYMLINKS | flags.RESOLVE_NO_MAGICLINKS;
  const openHow = p.words([how | flags.O_CLOEXEC, 0, resolve], "{ RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS }");
  return p.sys("openat2", [flags.AT_FDCWD, pathBytes(p, name), openHow, 24], {
    note: `open ${JSON.stringify(name)}`,
    tolerate: ["ENOENT", "ENOTDIR", "ELOOP", "EAGAIN"],
    orElse: gone,
  });
}
