import type { SampanClient } from "../../client/client.ts";
import { type ContainerUsage, unknownUsage, usageOf } from "./usage.ts";

/** Those that are watched, in the order of their coming, each with its last reading. */
export class Watched {
  readonly #client: SampanClient;
  readonly #signal: AbortSignal;
  readonly #last = new Map<string, ContainerUsage>();
  readonly #failed: (error: unknown) => void;

  /** `failed` is told of what could not be read, unless the container has just gone. */
  constructor(client: SampanClient, signal: AbortSignal, failed: (error: unknown) => void) {
    this.#client = client;
    this.#signal = signal;
    this.#failed = failed;
  }

  get usages(): readonly ContainerUsage[] {
    return [...this.#last.values()];
  }

  /** Follows a container until it is removed. */
  add(container: string): void {
    if (this.#last.has(container)) return;
    this.#last.set(container, unknownUsage(container));
    this.#follow(container)
      .catch((error) => {
        if (!this.#signal.aborted && this.#last.has(container)) this.#failed(error);
      })
      .finally(() => this.#last.delete(container));
  }

  remove(container: string): void {
    this.#last.delete(container);
  }

  async #follow(container: string): Promise<void> {
    const readings = await this.#client.containers.statsStream(container, { signal: this.#signal });
    let first = true;
    for await (const reading of readings) {
      if (!this.#last.has(container)) return;
      // The first says what has been used on average since the container's start: not what people look for.
      if (!first || reading.read.startsWith("0001")) this.#last.set(container, usageOf(container, reading));
      first = false;
    }
  }
}
