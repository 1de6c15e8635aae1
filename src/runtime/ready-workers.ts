import { availableParallelism } from "node:os";
import type { Executor, Session } from "../kernel/executor.ts";
import { Program } from "../kernel/program.ts";
import { makeNetworkNamespace, type NetworkNamespace } from "./network-namespace.ts";

/** A worker that waits for the program of a start. */
export interface ReadyWorker {
  readonly session: Session;
  /** Made ahead; without it the program makes it. */
  readonly network?: NetworkNamespace;
}

/** How many of each kind wait: those with a network are for containers, those without for what joins one. */
const counts = { network: 2, plain: 1 } as const;

const processors = availableParallelism();

type Kind = keyof typeof counts;

/**
 * Workers that were forked, and given a network namespace, while nobody waited: connecting, forking and the namespace are
 * a quarter of a start. Each that is taken is replaced; when none is left, a start does all of it itself.
 */
export class ReadyWorkers {
  readonly #executor: Executor;
  readonly #ready: Record<Kind, ReadyWorker[]> = { network: [], plain: [] };
  /** How many are being made: each counts as one that waits, or a crowd of starts would have more made than it takes. */
  readonly #making: Record<Kind, number> = { network: 0, plain: 0 };
  /** Kinds that somebody has asked for. */
  readonly #used = new Set<Kind>();
  #underWay = 0;
  #closed = false;

  constructor(executor: Executor) {
    this.#executor = executor;
  }

  /**
   * Lends `start` one. What was taken is replaced while the kernel is busy with the start; where others are under way, too,
   * the processors have enough to do, and making ahead would only cost: it is done when all have ended.
   */
  async lend<T>(kind: Kind, start: (worker: ReadyWorker) => Promise<T>): Promise<T> {
    this.#used.add(kind);
    this.#underWay++;
    setImmediate(() => {
      if (this.#underWay < processors) this.#refillAll();
    });
    try {
      return await start(await this.#take(kind));
    } finally {
      if (--this.#underWay === 0) this.#refillAll();
    }
  }

  async #take(kind: Kind): Promise<ReadyWorker> {
    for (let worker = this.#ready[kind].shift(); worker; worker = this.#ready[kind].shift()) {
      if (!worker.session.ended) return worker;
    }
    return { session: await this.#executor.open() };
  }

  close(): void {
    this.#closed = true;
    for (const { session } of Object.values(this.#ready).flat()) session.close();
  }

  #refillAll(): void {
    for (const kind of this.#used) void this.#refill(kind);
  }

  async #refill(kind: Kind): Promise<void> {
    try {
      while (!this.#closed && this.#ready[kind].length + this.#making[kind] < counts[kind]) {
        this.#making[kind]++;
        const worker = await this.#prepare(kind).finally(() => this.#making[kind]--);
        worker.session.unref();
        if (this.#closed) worker.session.close();
        else this.#ready[kind].push(worker);
      }
    } catch {
      // The next start does it for itself, and reports what is wrong.
    }
  }

  async #prepare(kind: Kind): Promise<ReadyWorker> {
    const session = await this.#executor.open();
    if (kind === "plain") return { session };
    const p = new Program("make a network namespace ahead");
    const { namespace, rtnetlink, machine } = p.in("network", () => makeNetworkNamespace(p));
    const results = await session.run(p);
    return {
      session,
      network: {
        namespace: results.value(namespace),
        rtnetlink: results.value(rtnetlink),
        machine: results.value(machine),
      },
    };
  }
}
