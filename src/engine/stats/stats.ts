import { once } from "node:events";
import type { Container } from "../container/live.ts";
import type { EngineParts } from "../parts.ts";
import type { Stats, StatsReading, StatsSample } from "../types.ts";
import { Sampler } from "./sampler.ts";

/** What containers use, once or as it goes on. */
export class EngineStats implements Stats {
  readonly #parts: EngineParts;
  readonly #sampler: Sampler;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#sampler = new Sampler(parts);
  }

  async read(reference: string, { oneShot = false, signal }: Parameters<Stats["read"]>[1] = {}): Promise<StatsReading> {
    const container = this.#parts.registry.get(reference);
    const sample = this.#sampler.latest(container);
    if (oneShot || sample === undefined) return reading(container, sample);
    const watch = new Watch(this.#sampler, container, signal);
    try {
      await watch.next();
      return reading(container, watch.latest, sample);
    } finally {
      watch.end();
    }
  }

  follow(reference: string, signal: AbortSignal): AsyncIterable<StatsReading> {
    const container = this.#parts.registry.get(reference);
    return this.#follow(container, signal);
  }

  close(): void {
    this.#sampler.close();
  }

  async *#follow(container: Container, signal: AbortSignal): AsyncGenerator<StatsReading> {
    let previous: StatsSample | undefined = this.#sampler.latest(container);
    const watch = new Watch(this.#sampler, container, signal);
    try {
      yield reading(container, previous);
      while (await watch.next()) {
        if (watch.latest === undefined || watch.latest !== previous) yield reading(container, watch.latest, previous);
        previous = watch.latest;
      }
    } finally {
      watch.end();
    }
  }
}

/** Who is slower than the interval misses readings; none are kept for him. */
class Watch {
  readonly #events = new EventTarget();
  readonly #gone = new AbortController();
  /** Nothing more will come, or nobody wants it. */
  readonly #end: AbortSignal;
  readonly #unwatch: () => void;
  latest: StatsSample | undefined;
  #waiting = 0;

  constructor(sampler: Sampler, container: Container, signal: AbortSignal | undefined) {
    this.#end = signal === undefined ? this.#gone.signal : AbortSignal.any([signal, this.#gone.signal]);
    this.#unwatch = sampler.watch(container, (sample) => {
      this.latest = sample;
      this.#waiting++;
      this.#events.dispatchEvent(new Event("sample"));
    });
    container.removal(this.#gone.signal).then(
      () => this.#gone.abort(),
      () => {},
    );
  }

  /** Waits for the next reading; false when the container is removed or nobody wants to know. */
  async next(): Promise<boolean> {
    const end = this.#end;
    if (this.#waiting === 0 && !end.aborted) await once(this.#events, "sample", { signal: end }).catch(() => {});
    this.#waiting = 0;
    return !end.aborted;
  }

  end(): void {
    this.#unwatch();
    this.#gone.abort();
  }
}

function reading(
  { id, record }: Container,
  sample: StatsSample | undefined,
  previous?: StatsSample | undefined,
): StatsReading {
  return { id, name: record.name, sample, previous: sample === undefined ? undefined : previous };
}
