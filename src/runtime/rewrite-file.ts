import { SampanError } from "../errors/index.ts";
import { named, type Slot } from "../kernel/block.ts";
import type { Executor, Session } from "../kernel/executor.ts";
import * as f from "../kernel/flags.ts";
import { Program } from "../kernel/program.ts";
import { setAttributes } from "./mounting.ts";

/** Bytes. Nobody's hosts file is larger. */
const roomFor = 1024 * 1024;
const STATX_TYPE = 1;
const offsetOfMode = 28; // struct statx

const DIRECTORY = named(f.O_PATH | f.O_DIRECTORY | f.O_CLOEXEC, "O_PATH|O_DIRECTORY|O_CLOEXEC");

/** A file of a container, held by the worker that has entered the container's mount namespace. */
interface Held {
  /** O_PATH: what is there stays this, whatever becomes of the path. */
  readonly file: number;
  /** /proc/self/fd as it was outside, to open `file` by. */
  readonly descriptors: number;
}

/**
 * Rewrites a file that a running container got at its start (see `OwnFile`), with what others have put into it in mind.
 * `edit` gets its text and answers the new one, undefined to leave it. A mount that is read-only to the container is
 * no hindrance. Throws when there is no ordinary file there any more.
 */
export async function rewriteFile(
  executor: Executor,
  { pid, path }: { readonly pid: number; readonly path: string },
  edit: (text: string) => string | undefined,
): Promise<void> {
  const session = await executor.open();
  try {
    const held = await hold(session, pid, path);
    const { text, readOnly } = await read(session, held, path);
    const edited = edit(text);
    if (edited !== undefined && edited !== text) await write(session, held, { path, text: edited, readOnly });
  } finally {
    session.close();
  }
}

async function hold(session: Session, pid: number, path: string): Promise<Held> {
  const p = new Program(`rewrite ${path} of process ${pid}`);
  const descriptors = p.sys("openat", [f.AT_FDCWD, p.text("/proc/self/fd"), DIRECTORY, 0], { note: "for reopening" });
  const process = p.sys("pidfd_open", [pid, 0], { note: `find process ${pid}` });
  p.call("setns", [process, named(f.CLONE_NEWNS, "CLONE_NEWNS")], { note: "see what the container sees" });
  const file = p.sys("openat", [f.AT_FDCWD, p.text(path), named(f.O_PATH | f.O_CLOEXEC, "O_PATH|O_CLOEXEC"), 0], {
    note: `find ${path}`,
  });
  const stat = p.buffer(256, "struct statx");
  p.call("statx", [file, p.text(""), named(f.AT_EMPTY_PATH, "AT_EMPTY_PATH"), STATX_TYPE, stat], {
    note: "see what it is",
  });
  const results = await session.run(p);
  const mode = results.bytes(stat).readUInt16LE(offsetOfMode);
  if ((mode & 0o170000) !== f.S_IFREG) {
    throw new SampanError("conflict", `Cannot rewrite ${path} of process ${pid}: it is no ordinary file any more`);
  }
  return { file: results.value(file), descriptors: results.value(descriptors) };
}

function reopen(p: Program, { file, descriptors }: Held, flags: ReturnType<typeof named>, note: string): Slot {
  return p.sys("openat", [descriptors, p.text(String(file)), flags, 0], { note, tolerate: ["EROFS"] });
}

async function read(session: Session, held: Held, path: string): Promise<{ text: string; readOnly: boolean }> {
  const p = new Program(`read ${path}`);
  const file = reopen(p, held, named(f.O_RDONLY | f.O_CLOEXEC, "O_RDONLY|O_CLOEXEC"), `open ${path}`);
  const buffer = p.buffer(roomFor, path);
  const length = p.sys("read", [file, buffer, roomFor], { note: "read it" });
  const writable = reopen(p, held, named(f.O_RDWR | f.O_CLOEXEC, "O_RDWR|O_CLOEXEC"), "try whether it may be written");
  const results = await session.run(p);
  const text = String(results.bytes(buffer, results.value(length)));
  return { text, readOnly: results.value(writable) < 0 };
}

async function write(
  session: Session,
  held: Held,
  { path, text, readOnly }: { readonly path: string; readonly text: string; readonly readOnly: boolean },
): Promise<void> {
  const p = new Program(`write ${path}`);
  const mount = heldSlot(p, held.file);
  const change = { recursive: false };
  if (readOnly) setAttributes(p, mount, { ...change, clear: f.MOUNT_ATTR_RDONLY, note: "make it writable" });
  const flags = named(f.O_WRONLY | f.O_TRUNC | f.O_CLOEXEC, "O_WRONLY|O_TRUNC|O_CLOEXEC");
  const file = reopen(p, held, flags, `open ${path}`);
  p.call("write", [file, p.text(text), Buffer.byteLength(text)], { note: "write it", full: true });
  p.call("close", [file], { note: "done" });
  if (readOnly) setAttributes(p, mount, { ...change, set: f.MOUNT_ATTR_RDONLY, note: "make it read-only again" });
  await session.run(p);
}

/** A variable that holds the number of a descriptor. */
function heldSlot(p: Program, descriptor: number): Slot {
  return p.sys("fcntl", [descriptor, named(1030, "F_DUPFD_CLOEXEC"), 0], { note: "take it up" });
}
