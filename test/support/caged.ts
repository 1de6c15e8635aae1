import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CgroupPath, Cgroups, Resources } from "../../src/cgroups/types.ts";
import { createExecutor, type Executor, type Session } from "../../src/kernel/executor.ts";
import { AT_FDCWD, O_APPEND, O_CLOEXEC, O_CREAT, O_WRONLY } from "../../src/kernel/flags.ts";
import { Program } from "../../src/kernel/program.ts";

/** A shell in a cgroup of its own and nothing else around it: no namespace, no root. */
export interface Caged {
  readonly path: CgroupPath;
  readonly pid: number;
  /** What it has written so far. */
  output(): string;
  /** Waits for its end; the cgroup is removed afterwards unless others live in it. */
  ended(): Promise<{ status: number; oomKills: number; output: string }>;
  /** Starts another shell in the cgroup, as `exec` does, and waits for it. */
  exec(script: string): Promise<number>;
}

/** Runs shell scripts in cgroups with limits, by programs as the runtime builds them. */
export class Cage {
  readonly cgroups: Cgroups;
  readonly #directory: string;
  readonly #executor: Executor;
  readonly #sessions = new Set<Session>();
  #count = 0;

  constructor(cgroups: Cgroups, directory: string) {
    this.cgroups = cgroups;
    this.#directory = directory;
    const binary = join(import.meta.dirname, "../../native/build/executor");
    this.#executor = createExecutor({ binary, socket: join(directory, "executor.sock") });
  }

  /** Starts `sh -c script` limited by `resources`. */
  async start(script: string, resources: Resources): Promise<Caged> {
    const path = this.cgroups.pathOf(`c${++this.#count}`);
    const log = join(this.#directory, `c${this.#count}.log`);
    const session = await this.#open();
    const p = new Program("cage a shell");
    this.cgroups.create(p, path, resources);
    await session.run(p);
    const pid = await this.#spawn(session, path, script, log);
    const output = () => readFileSync(log, "utf8");
    return {
      path,
      pid,
      output,
      ended: async () => ({ ...(await this.#wait(session, path, pid)), output: output() }),
      exec: async (added) => {
        const worker = await this.#open();
        const second = await this.#spawn(worker, path, added, log, pid);
        const status = await waitStatus(worker, second);
        worker.close();
        return status;
      },
    };
  }

  /** As `start`, to its end. */
  async run(script: string, resources: Resources): Promise<{ status: number; oomKills: number; output: string }> {
    return (await this.start(script, resources)).ended();
  }

  /** Executes the steps that `add` adds. */
  async execute(add: (p: Program) => void): Promise<void> {
    const p = new Program("prepare a test");
    add(p);
    await this.#executor.run(p);
  }

  async close(): Promise<void> {
    for (const session of this.#sessions) session.close();
    await this.#executor.close();
    this.cgroups.close();
  }

  async #open(): Promise<Session> {
    const session = await this.#executor.open();
    this.#sessions.add(session);
    return session;
  }

  async #spawn(session: Session, path: CgroupPath, script: string, log: string, init?: number): Promise<number> {
    const p = new Program("start a shell");
    const cgroup = this.cgroups.bornIn(p, path, init);
    const executed = p.pair("executed");
    p.call("pipe2", [executed.address, O_CLOEXEC], { note: "make a pipe that execve closes" });
    const { pid } = p.clone({ flags: 0, note: "clone", ...(cgroup && { cgroup }) }, () => {
      this.cgroups.enter(p, path);
      const flags = O_WRONLY | O_CREAT | O_APPEND;
      const out = p.sys("openat", [AT_FDCWD, p.text(log), flags, 0o600], { note: "open its output" });
      for (const fd of [1, 2]) p.call("dup3", [out, fd, 0], { note: "connect its output" });
      const env = p.strings(["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"]);
      p.call("execve", [p.text("/bin/sh"), p.strings(["sh", "-c", script]), env], { note: "execute the shell" });
    });
    p.call("close", [executed.second], { note: "leave the pipe's end to the shell" });
    p.call("read", [executed.first, p.buffer(8), 1], { note: "wait until it runs" });
    p.call("close", [executed.first], { note: "close the pipe" });
    p.check("has it failed?");
    return (await session.run(p)).value(pid);
  }

  async #wait(session: Session, path: CgroupPath, pid: number): Promise<{ status: number; oomKills: number }> {
    const status = await waitStatus(session, pid);
    const p = new Program("clean up after a shell");
    const counter = this.cgroups.oomCounter(path);
    const counts = counter === undefined ? "" : readFileSync(counter, "utf8");
    this.cgroups.remove(p, path);
    await session.run(p);
    session.close();
    return { status, oomKills: Number(/^oom_kill (\d+)$/m.exec(counts)?.[1] ?? 0) };
  }
}

/** The exit status as a shell shows it. */
async function waitStatus(session: Session, pid: number): Promise<number> {
  const p = new Program("wait for a shell");
  const status = p.buffer(8, "status");
  p.call("wait4", [pid, status, 0, 0], { note: "wait" });
  const word = (await session.run(p)).bytes(status).readInt32LE(0);
  return (word & 0x7f) === 0 ? (word >> 8) & 0xff : 128 + (word & 0x7f);
}
