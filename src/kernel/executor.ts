import { type ChildProcess, spawn } from "node:child_process";
import { SampanError } from "../errors/index.ts";
import { Connection, openSocket, type Reply } from "./connection.ts";
import { drained } from "./drained.ts";
import { Handovers, type Receipt, stdio } from "./handover.ts";
import { KernelError } from "./kernel-error.ts";
import type { Program, Step } from "./program.ts";
import { Results } from "./results.ts";
import { reply } from "./wire.ts";

/** What a worker executes: a `Program`, or a `Batch`. */
export interface Executable {
  /** An infinitive: what errors begin with. */
  readonly purpose: string;
  /** The bytes of the wire. */
  encode(): Buffer | readonly Buffer[];
  /** What a failure's step index means. */
  step(index: number): Step | undefined;
}

/** A worker process that executes one program after another: its root, directory and descriptors stay between them. */
export interface Session {
  /** Queues a program; the next may be queued before this one has answered. After a failure the session is over. */
  run(program: Executable): Promise<Results>;
  /** Resolves once all that was queued has been taken by the kernel's socket: back-pressure for large programs. */
  drained(): Promise<void>;
  /** Runs a program that goes on after its first reply; the session is its monitor's from then on. */
  start(program: Executable): Promise<Execution>;
  /** Whether the worker is there no more. */
  readonly ended: boolean;
  /** The daemon may end while this worker waits. */
  unref(): void;
  close(): void;
  /** As `close`, and waits until the worker has given back what it held. */
  finish(): Promise<void>;
}

/** A program that goes on after its first reply, as the monitor of a process. */
export interface Execution {
  /** At the `reply` step. */
  readonly results: Results;
  /** What `announce` sent; undefined when the monitor was lost without a word. */
  readonly exited: Promise<Buffer | undefined>;
  readonly connection: Connection;
}

/** Executes programs. One helper process listens; each program or session gets a process of its own. */
export interface Executor {
  run(program: Program): Promise<Results>;
  open(): Promise<Session>;
  /** A session of its own for one program; see `Session.start`. */
  start(program: Program): Promise<Execution>;
  /** The socket that a program gives to this process by `handOver` with this key. Ask before the program runs. */
  receive(key: string): Receipt;
  /** Ends the listening process. Monitors stay. */
  close(): Promise<void>;
}

interface ExecutorOptions {
  /** Path of the compiled helper. */
  readonly binary: string;
  /** Where it shall listen; at most 107 bytes. */
  readonly socket: string;
}

/** Interprets a reply that must be a result. */
export function resultOf(program: Executable, answer: Reply | undefined): Results {
  if (!answer)
    throw new SampanError("unavailable", `Cannot ${program.purpose}: the helper process was lost before it answered`);
  if (answer.kind === reply.failure) throw new KernelError(program, program.step(answer.step), answer.errno);
  return new Results(answer.payload);
}

/** What the monitor at the other end announces. */
export async function announcement(connection: Connection): Promise<Buffer | undefined> {
  const answer = await connection.next();
  return answer?.kind === reply.exited ? answer.payload : undefined;
}

class SocketSession implements Session {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async run(program: Executable): Promise<Results> {
    const answer = this.#connection.next();
    const { socket } = this.#connection;
    socket.cork();
    for (const bytes of [program.encode()].flat()) socket.write(bytes);
    socket.uncork();
    return resultOf(program, await answer);
  }

  drained(): Promise<void> {
    const { socket } = this.#connection;
    return socket.writableNeedDrain ? drained(socket) : Promise.resolve();
  }

  async start(program: Executable): Promise<Execution> {
    try {
      const results = await this.run(program);
      return { results, exited: announcement(this.#connection), connection: this.#connection };
    } catch (error) {
      // Whoever tries again wants the ports that this one had reserved
      await this.#connection.finish();
      throw error;
    }
  }

  get ended(): boolean {
    return this.#connection.ended;
  }

  unref(): void {
    this.#connection.socket.unref();
  }

  close(): void {
    this.#connection.close();
  }

  finish(): Promise<void> {
    return this.#connection.finish();
  }
}

class HelperExecutor implements Executor {
  readonly #options: ExecutorOptions;
  readonly #handovers = new Handovers();
  #child: ChildProcess | undefined;
  #ready: Promise<void> | undefined;
  #closed = false;

  constructor(options: ExecutorOptions) {
    this.#options = options;
  }

  async run(program: Program): Promise<Results> {
    const connection = await this.#connect();
    try {
      connection.socket.write(program.encode());
      return resultOf(program, await connection.next());
    } finally {
      connection.close();
    }
  }

  async open(): Promise<Session> {
    return new SocketSession(await this.#connect());
  }

  async start(program: Program): Promise<Execution> {
    return (await this.open()).start(program);
  }

  receive(key: string): Receipt {
    return this.#handovers.receive(key);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.ref();
    child.stdin?.end();
    await gone;
    if (child.connected) child.disconnect(); // monitors have the other end, too
  }

  async #connect(): Promise<Connection> {
    if (this.#closed) throw new SampanError("unavailable", "Cannot execute a program: the executor is closed");
    this.#ready ??= this.#spawn();
    const tried = this.#ready;
    await tried;
    try {
      return new Connection(await openSocket(this.#options.socket));
    } catch {
      // It has died, and its exit has not been reported yet.
      if (this.#ready === tried || !this.#ready) this.#ready = this.#spawn();
      await this.#ready;
      return new Connection(await openSocket(this.#options.socket));
    }
  }

  /** Starts the helper; one that dies is started again by the next program. */
  #spawn(): Promise<void> {
    const { binary, socket } = this.#options;
    const child = spawn(binary, [socket], {
      stdio: [...stdio],
      argv0: "sampan-executor",
      detached: true,
      cwd: "/",
    });
    this.#child = child;
    this.#handovers.listen(child);
    let complaint = "";
    child.stderr?.on("data", (text) => {
      complaint += text;
    });
    child.stdin?.on("error", () => {});
    return new Promise((resolve, reject) => {
      const lost = (cause: unknown) => {
        if (this.#child === child) this.#ready = undefined;
        reject(
          new SampanError(
            "unavailable",
            `Cannot start the native helper ${binary}: ${complaint.trim() || String(cause)}`,
          ),
        );
      };
      child.once("error", lost);
      child.once("exit", (code, signal) => lost(signal ?? `exit status ${code}`));
      child.stdout?.once("data", () => {
        child.unref();
        resolve();
      });
    });
  }
}

/** An executor whose helper process starts with the first program. */
export function createExecutor(options: ExecutorOptions): Executor {
  return new HelperExecutor(options);
}
