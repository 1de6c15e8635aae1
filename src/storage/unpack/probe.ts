import type { Ref } from "../../kernel/block.ts";
import type { Executor } from "../../kernel/executor.ts";
import * as flags from "../../kernel/flags.ts";
import { Program } from "../../kernel/program.ts";
import type { Results } from "../../kernel/results.ts";
import type { Attributes } from "./tree.ts";

/** What one layer has at one name. */
export interface Probe {
  readonly type: "directory" | "symlink" | "whiteout" | "file" | "node";
  /** Type bits included, as in st_mode. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: { readonly seconds: number; readonly nanoseconds: number };
  readonly major: number;
  readonly minor: number;
  /** A directory that hides what the layers below have in it. */
  readonly opaque: boolean;
}

/** So many names are looked up by one program: 600 bytes of results each. */
const PER_PROGRAM = 2000;
const STATX_BASIC_STATS = 0x7ff;
const STATX_SIZE = 256;
const XATTR_LIST = 4096;
/** Largest value of an extended attribute that is copied (XATTR_SIZE_MAX of limits.h). */
const XATTR_VALUE = 65536;

/** Name as a path in the block; the root is ".". */
export function pathBytes(program: Program, name: string): Ref {
  return program.bytes(Buffer.from(`${name === "" ? "." : name}\0`, "latin1"), JSON.stringify(name));
}

/** struct open_how for a path that must not leave where it starts, nor pass a link or a mount (openat2(2)). */
export function strictly(program: Program, openFlags: number): Ref {
  const resolve =
    flags.RESOLVE_BENEATH | flags.RESOLVE_NO_SYMLINKS | flags.RESOLVE_NO_MAGICLINKS | flags.RESOLVE_NO_XDEV;
  return program.words([openFlags | flags.O_CLOEXEC, 0, resolve], "{ RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS }");
}

/** Looks names up in one layer directory, without following links. What is not there is not in the result. */
export async function probeLayer(
  executor: Executor,
  directory: string,
  names: readonly string[],
): Promise<Map<string, Probe>> {
  const found = new Map<string, Probe>();
  for (let from = 0; from < names.length; from += PER_PROGRAM) {
    const program = new Program(`look up names in the layer ${directory}`);
    program.call("chdir", [program.text(directory)], { note: "go to the layer" });
    const reads = names.slice(from, from + PER_PROGRAM).map((name) => addProbe(program, name));
    const results = await executor.run(program);
    for (const read of reads) read(results, found);
  }
  return found;
}

function addProbe(program: Program, name: string): (results: Results, into: Map<string, Probe>) => void {
  const path = pathBytes(program, name);
  const next = program.label();
  const how = strictly(program, flags.O_PATH | flags.O_NOFOLLOW);
  const fd = program.sys("openat2", [flags.AT_FDCWD, path, how, 24], {
    note: "open it without following links",
    tolerate: ["ENOENT", "ENOTDIR", "ELOOP"],
    orElse: next,
  });
  const stat = program.buffer(STATX_SIZE);
  const opaque = program.buffer(8);
  program.call("statx", [fd, program.text(""), flags.AT_EMPTY_PATH, STATX_BASIC_STATS, stat], {
    note: "see what it is",
  });
  program.call("close", [fd], { note: "close it" });
  program.call("lgetxattr", [path, program.text("trusted.overlay.opaque"), opaque, 8], {
    note: "see whether it hides what is below",
    tolerate: ["ENODATA", "EOPNOTSUPP", "ERANGE"],
  });
  program.place(next);
  return (results, into) => {
    if (results.value(fd) >= 0) into.set(name, readProbe(results.bytes(stat), results.bytes(opaque)));
  };
}

/** struct statx (statx(2)). */
function readProbe(stat: Buffer, opaque: Buffer): Probe {
  const mode = stat.readUInt16LE(28);
  const major = stat.readUInt32LE(128);
  const minor = stat.readUInt32LE(132);
  return {
    type: typeOf(mode, major, minor),
    mode,
    uid: stat.readUInt32LE(20),
    gid: stat.readUInt32LE(24),
    size: Number(stat.readBigUInt64LE(40)),
    mtime: { seconds: Number(stat.readBigInt64LE(112)), nanoseconds: stat.readUInt32LE(120) },
    major,
    minor,
    opaque: opaque[0] === 0x79,
  };
}

function typeOf(mode: number, major: number, minor: number): Probe["type"] {
  const format = mode & flags.S_IFMT;
  if (format === flags.S_IFDIR) return "directory";
  if (format === flags.S_IFLNK) return "symlink";
  if (format === flags.S_IFREG) return "file";
  return format === flags.S_IFCHR && major === 0 && minor === 0 ? "whiteout" : "node";
}

/** Target of the symbolic link `name` of a layer, as a byte string. */
export async function readLink(executor: Executor, directory: string, name: string): Promise<string> {
  const program = new Program(`read a symbolic link of the layer ${directory}`);
  program.call("chdir", [program.text(directory)], { note: "go to the layer" });
  const buffer = program.buffer(4096);
  const length = program.sys("readlinkat", [flags.AT_FDCWD, pathBytes(program, name), buffer, 4096], {
    note: "read it",
  });
  const results = await executor.run(program);
  return results.bytes(buffer, results.value(length)).toString("latin1");
}

/** Extended attributes of `name` of a layer, whose ancestors are known to be no links. */
export async function readXattrs(executor: Executor, directory: string, name: string): Promise<Attributes["xattrs"]> {
  const listing = new Program(`list extended attributes in the layer ${directory}`);
  listing.call("chdir", [listing.text(directory)], { note: "go to the layer" });
  const list = listing.buffer(XATTR_LIST);
  const length = listing.sys("llistxattr", [pathBytes(listing, name), list, XATTR_LIST], {
    note: "list them",
    tolerate: ["EOPNOTSUPP"],
  });
  const listed = await executor.run(listing);
  const names = listed.bytes(list, listed.value(length)).toString("latin1").split("\0").filter(Boolean);
  if (names.length === 0) return [];
  const reading = new Program(`read extended attributes in the layer ${directory}`);
  reading.call("chdir", [reading.text(directory)], { note: "go to the layer" });
  const path = pathBytes(reading, name);
  const reads = names.map((xattr) => {
    const value = reading.buffer(XATTR_VALUE);
    const call = { note: `read ${xattr}` };
    return {
      xattr,
      value,
      size: reading.sys("lgetxattr", [path, pathBytes(reading, xattr), value, XATTR_VALUE], call),
    };
  });
  const read = await executor.run(reading);
  return reads.map(({ xattr, value, size }) => [xattr, Buffer.from(read.bytes(value, read.value(size)))] as const);
}
