import { named, type Ref, Slot } from "../kernel/block.ts";
import * as f from "../kernel/flags.ts";
import type { Program } from "../kernel/program.ts";
import * as wire from "../kernel/wire.ts";
import { exitRecord } from "./exit-record.ts";
import type { MonitorEnds } from "./stdio.ts";
import type { MonitorFiles, ProcessSpec } from "./types.ts";

/** struct sockaddr_un of unix(7). */
export function unixAddress(p: Program, path: string): { address: Ref; size: number } {
  const bytes = Buffer.alloc(2 + Buffer.byteLength(path) + 1);
  bytes.writeUInt16LE(f.AF_UNIX, 0);
  bytes.write(path, 2);
  return { address: p.bytes(bytes, JSON.stringify(path)), size: bytes.length };
}

/** The socket at which daemons and attached clients find the monitor. */
function listen(p: Program, path: string): Slot {
  const { address, size } = unixAddress(p, path);
  const type = named(f.SOCK_STREAM | f.SOCK_CLOEXEC, "SOCK_STREAM|SOCK_CLOEXEC");
  const listener = p.sys("socket", [named(f.AF_UNIX, "AF_UNIX"), type, 0], { note: "make the monitor's socket" });
  p.call("bind", [listener, address, size], { note: "give it its place" });
  p.call("listen", [listener, 64], { note: "listen for who attaches" });
  return listener;
}

const CREATE = named(f.O_WRONLY | f.O_CREAT | f.O_TRUNC | f.O_CLOEXEC, "O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC");

export interface SupervisionOptions {
  readonly process: ProcessSpec;
  readonly files: MonitorFiles;
  readonly hold: boolean;
  readonly ends: MonitorEnds;
  /** What `ps` on the machine shows of the monitor. */
  readonly title: string;
  readonly child: { readonly pid: Slot; readonly pidfd: Slot };
  /** Ends when the child executes its program, or dies trying. */
  readonly status: ReturnType<Program["pair"]>;
  /** The file whose `oom_kill` line counts the victims of the memory limit. */
  readonly oomFile?: string | undefined;
  /** Steps after the end and before anybody is told of it: what others may want at once. */
  readonly giveBack?: (() => void) | undefined;
  /** Steps after that: the cgroup's removal, and letting go of the root file system. */
  readonly cleanUp: () => void;
}

/** Prepares what the monitor needs; returns the structure for `supervise`. */
export function prepareSupervision(
  p: Program,
  options: Pick<SupervisionOptions, "process" | "files" | "hold" | "ends" | "title" | "child">,
): Ref {
  const { files, ends, process } = options;
  const listener = listen(p, files.socket);
  const flags =
    (process.stdinOnce ? wire.supervisionFlag.stdinOnce : 0) | (options.hold ? wire.supervisionFlag.hold : 0);
  const fields = [
    options.child.pidfd,
    ends.stdin,
    ends.stdout,
    ends.stderr,
    ends.terminal,
    listener,
    flags,
    files.log?.maxSize ?? 0,
    files.log?.maxFiles ?? 0,
  ];
  const path = files.log ? p.text(files.log.path) : 0;
  const supervision = p.words(
    [...fields.map((field) => (field instanceof Slot ? -1 : field)), path, p.text(options.title)],
    "{ supervision }",
  );
  for (const [index, field] of fields.entries()) {
    if (field instanceof Slot) p.copy(field, supervision.at(index * 8), "tell the monitor its descriptor");
  }
  return supervision;
}

function awaitExec(p: Program, status: ReturnType<Program["pair"]>): void {
  p.call("close", [status.second], { note: "leave the pipe's other end to the child" });
  p.call("read", [status.first, p.buffer(8, "byte"), 1], { note: "wait until it executes its program" });
  p.call("close", [status.first], { note: "the pipe has served" });
  p.check("has it failed?");
}

/**
 * From "the process runs" to the end of its monitor:
 *
 *     reply to the daemon → supervise … → read the OOM count → announce → exit file → remove the cgroup, the root file system and the socket
 *         → deliver the rest of the output to whoever reads slowly → fsync the exit file, if it is still there → leave
 *
 * Announcing before the file is safe: a daemon that dies in between finds this monitor still there and waits for the
 * file. Why fsync comes last: docs/decisions/0001-exit-file.md.
 */
export function superviseSteps(p: Program, options: SupervisionOptions): void {
  p.in("monitor", () => {
    const supervision = prepareSupervision(p, options);
    awaitExec(p, options.status);
    p.reply("tell the daemon that it runs");
    const record = exitRecord(p);
    p.copy(
      p.supervise(options.child.pid, supervision, "pass its output on, log it, and wait for its end"),
      record.status,
      "note how it ended",
    );
    p.call("clock_gettime", [0, record.time], { note: "and when" });
    if (options.oomFile) readOom(p, options.oomFile, record);
    options.giveBack?.();
    p.announce(record.whole, "tell the daemon that it has ended");
    if (options.files.exitFile) writeExitFile(p, options.files.exitFile, record.whole);
    options.cleanUp();
    p.call("unlinkat", [f.AT_FDCWD, p.text(options.files.socket), 0], {
      note: "remove the monitor's socket",
      tolerate: "all",
    });
    p.linger("deliver what attached clients have not read yet");
    if (options.files.exitFile) keepExitFile(p, options.files.exitFile, options.files.log?.path);
    p.exit(0, "leave");
  });
}

function readOom(p: Program, path: string, record: ReturnType<typeof exitRecord>): void {
  const none = p.label();
  const file = p.sys("openat", [f.AT_FDCWD, p.text(path), named(f.O_RDONLY | f.O_CLOEXEC, "O_RDONLY|O_CLOEXEC"), 0], {
    note: "open the count of OOM kills",
    tolerate: "all",
    orElse: none,
  });
  p.call("read", [file, record.events, record.events.size], { note: "read it", tolerate: "all" });
  p.place(none);
}

/** Puts the exit file in its place, whole. What a crash of the machine leaves of it is `keepExitFile`'s. */
function writeExitFile(p: Program, path: string, record: Ref): void {
  const temporary = `${path}.tmp`;
  const give = p.label();
  const tolerate = { tolerate: "all", orElse: give } as const;
  const file = p.sys("openat", [f.AT_FDCWD, p.text(temporary), CREATE, 0o600], {
    note: "make the exit file",
    ...tolerate,
  });
  p.call("write", [file, record, record.size], { note: "write how it ended", ...tolerate, full: true });
  p.call("renameat", [f.AT_FDCWD, p.text(temporary), f.AT_FDCWD, p.text(path)], {
    note: "make it visible, whole",
    ...tolerate,
  });
  p.place(give);
}

/** How long a container that has ended is given to be removed before its exit file goes to the disk: 0.25 s. */
const GRACE_NS = 250_000_000;

/**
 * Makes the exit file and its name survive a loss of power, unless they are gone by now with the container. The log goes first:
 * of a container whose end is known, the last lines are, too.
 */
function keepExitFile(p: Program, path: string, log: string | undefined): void {
  const gone = p.label();
  const tolerate = { tolerate: "all", orElse: gone } as const;
  p.call("nanosleep", [p.words([0, GRACE_NS], "{ 0.25 s }"), 0], {
    note: "most containers are removed at once: wait a moment",
    tolerate: "all",
  });
  if (log !== undefined) keepLog(p, log);
  const file = p.sys("openat", [f.AT_FDCWD, p.text(path), named(f.O_RDONLY | f.O_CLOEXEC, "O_RDONLY|O_CLOEXEC"), 0], {
    note: "open the exit file, if it is still there",
    ...tolerate,
  });
  p.call("fsync", [file], { note: "make it survive a loss of power", tolerate: "all" });
  const directory = path.slice(0, path.lastIndexOf("/"));
  const flags = named(f.O_RDONLY | f.O_DIRECTORY | f.O_CLOEXEC, "O_RDONLY|O_DIRECTORY|O_CLOEXEC");
  const parent = p.sys("openat", [f.AT_FDCWD, p.text(directory), flags, 0], {
    note: "open its directory",
    ...tolerate,
  });
  p.call("fsync", [parent], { note: "and make its name survive, too", tolerate: "all" });
  p.place(gone);
}

function keepLog(p: Program, path: string): void {
  const gone = p.label();
  const flags = named(f.O_RDONLY | f.O_CLOEXEC, "O_RDONLY|O_CLOEXEC");
  const log = p.sys("openat", [f.AT_FDCWD, p.text(path), flags, 0], {
    note: "open the log, if it is still there",
    tolerate: "all",
    orElse: gone,
  });
  p.call("fdatasync", [log], { note: "make its last lines survive a loss of power", tolerate: "all" });
  p.call("close", [log], { note: "close it" });
  p.place(gone);
}
