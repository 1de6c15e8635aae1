import { named, type Ref, type Slot } from "../../kernel/block.ts";
import * as f from "../../kernel/flags.ts";
import type { Label, Program, StepOptions } from "../../kernel/program.ts";

/** The two pipes with names by which `start`, in another process, finds a container that waits. */
export const gateNames = { start: "start.fifo", status: "status.fifo" } as const;

/** What a failed start writes to the status pipe: one byte, then -errno or a wait status in eight. */
export const startFailures = { filter: "f", hook: "h", execute: "x" } as const;
export type StartFailure = keyof typeof startFailures;

/**
 * Where a created container waits for its start. Its first process holds both pipes open for reading and writing, so that
 * nothing blocks until somebody comes:
 *
 *     container: reads one byte from start.fifo ……………… goes on ── execve closes both: the end of status.fifo
 *     `start`:   opens both, writes the byte, removes them, reads status.fifo to its end
 *
 * Waiting is a read(2), which every seccomp profile allows that lets a program run at all. The descriptors are the lowest
 * that the worker has, one behind the other, so that all others can be closed in one step.
 */
export class Gate {
  readonly #p: Program;
  readonly #start: Slot;
  readonly #status: Slot;
  /** Ends when the container's first process waits, or dies on its way there. */
  readonly ready: ReturnType<Program["pair"]>;
  readonly #connection: number;

  /** The first steps of the program: `connection` is the only descriptor above the streams that are passed on. */
  constructor(p: Program, directory: string, connection: number) {
    this.#p = p;
    this.#connection = connection;
    p.call("close_range", [connection + 1, 0xffffffff, 0], { note: "close what was inherited by mistake" });
    this.#start = this.#makePipe(`${directory}/${gateNames.start}`);
    this.#status = this.#makePipe(`${directory}/${gateNames.status}`);
    this.ready = p.pair("ready");
    p.call("pipe2", [this.ready.address, named(f.O_CLOEXEC, "O_CLOEXEC")], {
      note: "make a pipe that tells when the container waits",
    });
  }

  #makePipe(path: string): Slot {
    const p = this.#p;
    p.call("mknodat", [f.AT_FDCWD, p.text(path), named(f.S_IFIFO | 0o600, "S_IFIFO|0600"), 0], {
      note: `make the pipe ${path}`,
    });
    return p.sys("openat", [f.AT_FDCWD, p.text(path), named(f.O_RDWR | f.O_CLOEXEC, "O_RDWR|O_CLOEXEC"), 0], {
      note: "open it",
    });
  }

  /** In the container's first process: no descriptor but the two pipes, `ready` and those passed on is left open. */
  closeOthers(): void {
    const p = this.#p;
    p.call("close", [this.#connection], { note: "the connection is the worker's" });
    p.call("close", [this.ready.first], { note: "and so is that end" });
    p.call("close_range", [this.#connection + 5, 0xffffffff, 0], {
      note: "close every other descriptor: none may leak in",
    });
  }

  /** In the container's first process: everything is done that could fail; waits for `start`. */
  wait(): void {
    const p = this.#p;
    p.call("write", [this.ready.second, p.text("."), 1], { note: "tell that it waits", tolerate: ["EPIPE"] });
    p.call("close", [this.ready.second], { note: "to nobody else" });
    p.call("read", [this.#start, p.buffer(8, "byte"), 1], { note: "wait for the start", full: true });
  }

  /** Steps that may fail after the start report it to who started. */
  report(kind: StartFailure, steps: (failure: Failure) => void): void {
    const p = this.#p;
    const [failed, well] = [p.label(), p.label()];
    const error = p.buffer(8, "error");
    steps({ into: error, orElse: failed });
    p.jump(well, "all is well");
    p.place(failed);
    p.call("write", [this.#status, p.text(startFailures[kind]), 1], { note: "report what failed", tolerate: "all" });
    p.call("write", [this.#status, error, 8], { note: "and how", tolerate: "all" });
    p.exit(127, "leave");
    p.place(well);
  }

  /** In the worker, after the clone: waits until the container waits; a failure on the way is the program's. */
  awaitReady(): void {
    const p = this.#p;
    for (const mine of [this.ready.second, this.#start, this.#status])
      p.call("close", [mine], { note: "leave it to the container" });
    p.call("read", [this.ready.first, p.buffer(8, "byte"), 1], { note: "wait until it waits, or has died" });
    p.check("has it failed?");
  }
}

/** Where a step that must not fail puts its errno, and goes on. */
export interface Failure extends Pick<StepOptions, "into"> {
  readonly into: Ref;
  readonly orElse: Label;
}
