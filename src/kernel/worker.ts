import { type ChildProcess, spawn } from "node:child_process";
import { Socket } from "node:net";
import { SampanError } from "../errors/index.ts";
import { Connection } from "./connection.ts";
import { announcement, type Executable, resultOf } from "./executor.ts";
import type { Results } from "./results.ts";

export interface WorkerOptions {
  /** Path of the compiled helper. */
  readonly binary: string;
  /** How many descriptors behind the standard streams are passed on: 3, 4, … as they are here. */
  readonly preserved: number;
}

/**
 * A helper process for one program, without a daemon: the standard streams are this process's, and what the program
 * leaves running belongs to whoever reaps this process's orphans. Life: `startWorker` → `run` what has to be known before →
 * `begin` → `next`, `tell` as often as the program replies and reads → `end`.
 */
export class Worker {
  readonly connection: Connection;
  /** The connection's descriptor in the worker; nothing above it is inherited on purpose. */
  readonly descriptor: number;
  /** The worker's process id. */
  readonly pid: number;
  readonly #gone: Promise<void>;
  #program: Executable | undefined;

  constructor(child: ChildProcess, descriptor: number) {
    this.descriptor = descriptor;
    this.pid = child.pid ?? 0; // one that could not be started never answers
    const lost = new Promise<never>((_, reject) => {
      child.once("error", (cause) =>
        reject(new SampanError("unavailable", `Cannot start the native helper: ${cause.message}`, { cause })),
      );
    });
    lost.catch(() => {}); // who waits for an answer hears that there is none
    const socket: unknown = child.stdio[descriptor];
    if (!(socket instanceof Socket)) throw new SampanError("internal", "Cannot talk to the native helper: no socket");
    this.connection = new Connection(socket);
    this.#gone = Promise.race([lost, new Promise<void>((resolve) => child.once("exit", () => resolve()))]);
    this.#gone.catch(() => {});
  }

  /** Executes a program that leaves nothing running. */
  run(program: Executable): Promise<Results> {
    this.begin(program);
    return this.next();
  }

  /** Hands the program over that everything is about; nothing may follow it. */
  begin(program: Executable): void {
    this.#program = program;
    for (const bytes of [program.encode()].flat()) this.connection.socket.write(bytes);
  }

  /** The results at the next `reply` step, or at the end; throws the `KernelError` of a step that failed. */
  async next(): Promise<Results> {
    const program = this.#program;
    if (program === undefined) throw new SampanError("internal", "Cannot wait for a reply: no program was begun");
    return resultOf(program, await this.connection.next());
  }

  /** What the worker announces as the monitor of a process, when that has ended. */
  async announced(): Promise<Buffer> {
    const record = await announcement(this.connection);
    if (record !== undefined) return record;
    throw new SampanError("unavailable", "Cannot wait for the process: the helper process was lost");
  }

  /** One byte for a program that waits at a `read` of the connection. */
  tell(): void {
    this.connection.socket.write(".");
  }

  /** Resolves when the worker has left, and its children have another parent. */
  async end(): Promise<void> {
    this.connection.socket.end();
    await this.#gone;
    this.connection.close();
  }
}

/** Starts a worker. That it cannot be started is reported by its first reply. */
export function startWorker({ binary, preserved }: WorkerOptions): Worker {
  const descriptor = 3 + preserved;
  const kept = Array.from({ length: preserved }, (_, index) => 3 + index);
  const child = spawn(binary, ["-", String(descriptor)], {
    stdio: ["inherit", "inherit", "inherit", ...kept, "pipe"],
    argv0: "sampan-executor",
    // A session of its own: what is typed at the terminal, Ctrl-C, is for whoever started us
    detached: true,
    cwd: "/",
    env: {},
  });
  return new Worker(child, descriptor);
}
