import { randomUUID } from "node:crypto";
import { Socket } from "node:net";
import { SampanError } from "../errors/index.ts";
import { named, type Slot } from "./block.ts";
import type { Executor, Session } from "./executor.ts";
import * as f from "./flags.ts";
import { handOver, type Receipt } from "./handover.ts";
import { Program } from "./program.ts";
import { signals } from "./signals.ts";

/** A program of the machine, as execve(2) has it. */
export interface BoundProgram {
  /** An infinitive, for errors. */
  readonly purpose: string;
  readonly path: string;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
}

/** A process whose life is bound to the daemon's: it, and all that it has started, end when the daemon does, however that ends. */
export interface BoundProcess {
  readonly stdout: Socket;
  readonly stderr: Socket;
  /** The exit code; 128 + signal for a signal's victim. It never rejects. */
  readonly ended: Promise<number>;
  kill(): void;
}

/**
 * Starts a program that reads /dev/null. A child process of Node's would outlive a daemon that is killed; this one is a worker's
 * of the executor, in a PID namespace of its own: the executor leaves with the daemon, the worker with the executor, the first
 * process of the namespace with the worker, and the kernel ends all others with that one.
 */
export async function startBound(executor: Executor, program: BoundProgram): Promise<BoundProcess> {
  const session = await executor.open();
  const receipts: Receipt[] = [];
  try {
    const worker = await bindToExecutor(session, program);
    const keys = { stdout: randomUUID(), stderr: randomUUID() };
    const [first, second] = [executor.receive(keys.stdout), executor.receive(keys.stderr)];
    receipts.push(first, second);
    const running = run(session, program, keys);
    // It ends before both have come only when it cannot be started.
    const lost = running.then(() => new Promise<never>(() => {}));
    const [stdout, stderr] = await Promise.race([Promise.all([streamOf(first), streamOf(second)]), lost]);
    const ended = running.catch(() => 128 + signals.SIGKILL).finally(() => session.close());
    return { stdout, stderr, ended, kill: () => end(session, worker) };
  } catch (error) {
    for (const receipt of receipts) receipt.cancel();
    session.close();
    throw error;
  }
}

async function streamOf({ socket }: Receipt): Promise<Socket> {
  const stream = await socket;
  if (stream instanceof Socket) return stream;
  throw new SampanError("internal", "Cannot read the output of a program: what was handed over is no stream");
}

/** Answers the worker's process id. */
async function bindToExecutor(session: Session, { purpose }: BoundProgram): Promise<number> {
  const p = new Program(purpose);
  dieWithParent(p, "end with the executor, and so with the daemon");
  const pid = p.sys("getpid", [], { note: "whom to end" });
  return (await session.run(p)).value(pid);
}

function dieWithParent(p: Program, note: string): void {
  p.call("prctl", [named(f.PR_SET_PDEATHSIG, "PR_SET_PDEATHSIG"), named(signals.SIGKILL, "SIGKILL"), 0, 0, 0], {
    note,
  });
}

async function run(
  session: Session,
  program: BoundProgram,
  keys: { readonly stdout: string; readonly stderr: string },
): Promise<number> {
  const p = new Program(program.purpose);
  const out = socketPair(p, "stdout");
  const err = socketPair(p, "stderr");
  const gate = p.pair("gate");
  p.call("pipe2", [gate.address, named(f.O_CLOEXEC, "O_CLOEXEC")], { note: "make a gate" });
  const flags = { flags: f.CLONE_NEWPID, flagNames: "CLONE_NEWPID" };
  const child = p.clone({ ...flags, note: "start a process in a PID namespace of its own" }, () => {
    dieWithParent(p, "end with this worker, and with it everything in the namespace");
    p.call("close", [gate.second], { note: "leave the gate to the worker" });
    p.call("read", [gate.first, p.buffer(8, "byte"), 1], { note: "the worker is there still", full: true });
    execute(p, program, { stdout: out.second, stderr: err.second });
  });
  p.call("write", [gate.second, p.text("!"), 1], { note: "open the gate", full: true });
  for (const fd of [out.second, err.second]) p.call("close", [fd], { note: "the process has it" });
  handOver(p, out.first, { key: keys.stdout, kind: "net.Socket" });
  handOver(p, err.first, { key: keys.stderr, kind: "net.Socket" });
  const status = p.buffer(8, "status");
  p.call("wait4", [child.pid, status, 0, 0], { note: "wait for its end" });
  p.check("has it been started?");
  const results = await session.run(p);
  const word = results.bytes(status).readUInt32LE(0);
  return (word & 0x7f) === 0 ? (word >> 8) & 0xff : 128 + (word & 0x7f);
}

function socketPair(p: Program, label: string) {
  const pair = p.pair(label);
  const type = named(f.SOCK_STREAM | f.SOCK_CLOEXEC, "SOCK_STREAM|SOCK_CLOEXEC");
  p.call("socketpair", [named(f.AF_UNIX, "AF_UNIX"), type, 0, pair.address], { note: `make a way for its ${label}` });
  return pair;
}

function execute(
  p: Program,
  { path, argv, env, cwd }: BoundProgram,
  { stdout, stderr }: { readonly stdout: Slot; readonly stderr: Slot },
): void {
  p.call("setsid", [], { note: "start a session: there is no terminal to ask on" });
  p.call("dup3", [stdout, 1, 0], { note: "take its standard output" });
  p.call("dup3", [stderr, 2, 0], { note: "and what it complains to" });
  p.call("close_range", [3, 0xffffffff, 0], { note: "close every other descriptor" });
  p.call("chdir", [p.text(cwd)], { note: `go to ${cwd}` });
  p.init("stay as PID 1, which reaps; a child goes on");
  p.call("execve", [p.text(path), p.strings(argv), p.strings(env)], { note: `execute ${path}` });
}

/** The worker waits in the kernel, where a closed connection is not noticed. */
function end(session: Session, pid: number): void {
  if (session.ended) return;
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
