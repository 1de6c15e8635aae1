import type { EngineLog } from "../types.ts";

/** The annotation that names whom a container belongs to: it is removed when nobody of that name is connected any more. */
export const ownerAnnotation = "dev.sampan.owner";

/**
 * How long the owners of containers may take to come back to a daemon that has just started, in ms: only they know whether
 * they live still. Whoever was killed while no daemon ran does not come.
 */
const grace = 10_000;

/** What owners need of the engine. */
export interface OwnedContainers {
  /** Whose containers are here, by the annotation. */
  owners(): Iterable<{ readonly id: string; readonly owner: string }>;
  remove(id: string): Promise<void>;
}

/** Processes that have containers for as long as they live. A connection tells that one lives: the kernel ends it with the process. */
export interface Owners {
  /** An owner has connected; the returned function, called once or more, says that its connection has ended. */
  claim(owner: string): () => void;
  /** Resolves when all containers of an owner have been removed. */
  release(owner: string): Promise<void>;
  /** A container of an owner has been made: perhaps too late, then it goes after a while. */
  made(owner: string): void;
}

/** Removes containers, running or not and with their anonymous volumes, whose owner has gone. */
export class EngineOwners implements Owners {
  readonly #containers: OwnedContainers;
  readonly #log: EngineLog;
  /** How many connections each has. */
  readonly #connected = new Map<string, number>();
  readonly #expected = new Map<string, NodeJS.Timeout>();
  #closed = false;

  constructor(containers: OwnedContainers, log: EngineLog) {
    this.#containers = containers;
    this.#log = log;
  }

  /** A daemon that has just started waits for the owners of the containers it finds. */
  recover(): void {
    for (const { owner } of this.#containers.owners()) this.made(owner);
  }

  claim(owner: string): () => void {
    clearTimeout(this.#expected.get(owner));
    this.#expected.delete(owner);
    this.#connected.set(owner, (this.#connected.get(owner) ?? 0) + 1);
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      const left = (this.#connected.get(owner) ?? 1) - 1;
      if (left > 0) this.#connected.set(owner, left);
      else this.#leave(owner);
    };
  }

  made(owner: string): void {
    if (this.#connected.has(owner) || this.#expected.has(owner) || this.#closed) return;
    const expire = (): void => {
      this.#expected.delete(owner);
      void this.release(owner);
    };
    this.#expected.set(owner, setTimeout(expire, grace).unref());
  }

  async release(owner: string): Promise<void> {
    const own = [...this.#containers.owners()].filter((container) => container.owner === owner);
    await Promise.all(own.map(({ id }) => this.#remove(id)));
  }

  /** The daemon leaves: that connections end says nothing any more. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#expected.values()) clearTimeout(timer);
  }

  #leave(owner: string): void {
    this.#connected.delete(owner);
    if (!this.#closed) void this.release(owner);
  }

  async #remove(id: string): Promise<void> {
    try {
      await this.#containers.remove(id);
    } catch (error) {
      const { kind } = error as { readonly kind?: string };
      if (kind !== "not-found") this.#log.error({ error, container: id }, "a container outlives its owner");
    }
  }
}
