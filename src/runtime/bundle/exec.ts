import type { Cgroups } from "../../cgroups/types.ts";
import { named, type Slot } from "../../kernel/block.ts";
import * as f from "../../kernel/flags.ts";
import { Program } from "../../kernel/program.ts";
import { Inside } from "../inside.ts";
import { openProcess } from "../namespaces.ts";
import { setOomScore } from "../process.ts";
import { becomeRoot } from "../user-namespace.ts";
import { runOnCpus } from "./attributes.ts";
import { executeProgram, takeIdentity, takeLastFilter } from "./become.ts";
import type { BundleProgram } from "./create.ts";
import { takeLabels } from "./labels.ts";
import { flagsOf, type NamespaceKind, withMounts } from "./namespace-kinds.ts";
import { SeccompListener } from "./seccomp-listener.ts";
import { BundleStreams, type StreamOptions } from "./streams.ts";
import type { BundleProcess } from "./types.ts";

/** A running container, as one more process enters it. */
export interface BundleTarget {
  readonly id: string;
  /** Its first process, as the caller sees it. */
  readonly pid: number;
  readonly cgroupPath: string;
  /** The namespaces in which it is not where the caller is; the mount namespace always is one. */
  readonly namespaces: readonly NamespaceKind[];
  /** Who enters is not root: only its user namespace gives the right to enter the others. */
  readonly unprivileged: boolean;
}

export interface ExecOptions extends StreamOptions {
  /** In the worker: where the program replies and reads. */
  readonly connection: number;
  readonly afterwards: "leave" | "wait";
  /** The processors it runs on, before and after it is in the container's cgroup. */
  readonly cpus: { readonly initial?: ReadonlySet<number>; readonly final?: ReadonlySet<number> };
}

/** The program that starts one more process in a container of a bundle. It enters all namespaces by one setns(2) of a pidfd. */
export function bundleExecProgram(
  target: BundleTarget,
  process: BundleProcess,
  options: ExecOptions,
  cgroups: Cgroups,
): BundleProgram {
  const p = new Program(`execute a process in container ${target.id}`);
  const status = p.in("process", () => firstPipe(p, options.connection));
  const taken =
    process.listener && p.in("process", () => makePipe(p, "make a pipe that lets it go on with its filter"));
  const listener = p.in("security", () => process.listener && new SeccompListener(p, process.listener));
  const filtered = listener && ((descriptor: Slot) => listener.tell(descriptor, status.second, taken?.first));
  const { initial, final } = options.cpus;
  if (initial) p.in("process", () => runOnCpus(p, initial, "run on its first processors"));
  const container = p.in("namespace", () => openProcess(p, target.pid));
  const cgroup = p.in("cgroup", () => cgroups.bornIn(p, target.cgroupPath, target.pid));
  const streams = p.in("process", () => new BundleStreams(p, process, options));
  p.in("namespace", () => {
    if (!target.namespaces.includes("pid")) return;
    const { flags, names } = flagsOf(target.namespaces.filter((kind) => isEarly(target, kind)));
    p.call("setns", [container, named(flags, names)], {
      note: "let the next child be born in its PID namespace",
    });
  });
  const child = p.in("namespace", () =>
    p.clone({ flags: 0, note: "start the process", ...(cgroup && { cgroup }) }, () => {
      p.in("process", () => setOomScore(p, process));
      p.in("cgroup", () => cgroups.enter(p, target.cgroupPath));
      if (final) p.in("process", () => runOnCpus(p, final, "run on the processors it is to have"));
      p.in("security", () => takeLabels(p, process.labels));
      enter(p, target, container);
      if (target.namespaces.includes("user")) p.in("security", () => becomeRoot(p));
      const inside = p.in("rootfs", () => new Inside(p, openRoot(p)));
      p.in("process", () => streams.connect(inside));
      takeIdentity(p, process, {
        newKeyring: true,
        limits: true,
        ownUsers: target.namespaces.includes("user"),
        filtered,
        closeOthers: () => closeOthers(p, options.connection, status, taken),
      });
      takeLastFilter(p, process, { filtered });
      p.in("process", () => executeProgram(p, process));
    }),
  );
  const ends = p.in("process", () => streams.keep());
  p.in("process", () => {
    p.call("close", [status.second], { note: "leave the pipe's other end to the child" });
    listener?.handOver(child, status.first, taken?.second);
    p.call("read", [status.first, p.buffer(8, "byte"), 1], { note: "wait until it executes its program" });
    p.check("has it failed?");
  });
  const ended = p.in("process", () => streams.finish(child, ends, options.afterwards));
  return { program: p, pid: child.pid, status: ended };
}

/** A pipe that execve closes, on the lowest descriptors behind the connection: all others can be closed in one step. */
function firstPipe(p: Program, connection: number): Pipe {
  p.call("close_range", [connection + 1, 0xffffffff, 0], { note: "close what was inherited by mistake" });
  return makePipe(p, "make a pipe that tells when the program runs");
}

type Pipe = ReturnType<Program["pair"]>;

function makePipe(p: Program, note: string): Pipe {
  const pipe = p.pair("pipe");
  p.call("pipe2", [pipe.address, named(f.O_CLOEXEC, "O_CLOEXEC")], { note });
  return pipe;
}

function closeOthers(p: Program, connection: number, status: Pipe, taken: Pipe | undefined): void {
  p.call("close", [connection], { note: "the connection is the worker's" });
  for (const theirs of [status.first, ...(taken ? [taken.second] : [])])
    p.call("close", [theirs], { note: "and so is that end" });
  const kept = taken ? 4 : 2;
  p.call("close_range", [connection + kept + 1, 0xffffffff, 0], {
    note: "close every other descriptor: none may leak in",
  });
}

/** A PID namespace only takes effect for children. */
function isEarly({ unprivileged }: BundleTarget, kind: NamespaceKind): boolean {
  return kind === "pid" || (unprivileged && kind === "user");
}

function enter(p: Program, target: BundleTarget, container: Slot): void {
  p.in("security", () =>
    p.call("prctl", [named(f.PR_SET_DUMPABLE, "PR_SET_DUMPABLE"), 0], {
      note: "let nobody in the container look into this process",
    }),
  );
  const { flags, names } = withMounts(target.namespaces.filter((kind) => !isEarly(target, kind)));
  p.in("namespace", () =>
    p.call("setns", [container, named(flags, names)], { note: "enter the container's namespaces" }),
  );
}

function openRoot(p: Program): Slot {
  const open = named(f.O_PATH | f.O_DIRECTORY | f.O_CLOEXEC, "O_PATH|O_DIRECTORY|O_CLOEXEC");
  return p.sys("openat", [f.AT_FDCWD, p.text("/"), open, 0], { note: "open its root" });
}
