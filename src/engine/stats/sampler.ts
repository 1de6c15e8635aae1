import { setImmediate } from "node:timers/promises";
import { messageOf } from "../../errors/index.ts";
import type { Container } from "../container/live.ts";
import type { EngineParts } from "../parts.ts";
import type { MachineCpu, StatsSample } from "../types.ts";
import { readMachineCpu, takeSample } from "./sample.ts";

/** Milliseconds between two readings of a container. */
const interval = 1000;
/** Containers that are read in one go, a fraction of a millisecond each, before others get a turn. */
const batch = 16;

/** undefined: it does not run. */
type Listener = (sample: StatsSample | undefined) => void;

/**
 * Reads what containers use, each at most once per interval however many watch it, and none that nobody watches. One timer
 * serves all.
 */
export class Sampler {
  readonly #parts: EngineParts;
  readonly #listeners = new Map<Container, Set<Listener>>();
  readonly #latest = new WeakMap<Container, StatsSample>();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  /** No older than the interval. */
  latest(container: Container): StatsSample | undefined {
    const last = this.#latest.get(container);
    const fresh = last !== undefined && isOf(last, container) && ageOf(last) < interval;
    return fresh && container.isRunning ? last : this.#read(container, readMachineCpu());
  }

  /** Tells `listener` of every reading from now on, until the answer is called. */
  watch(container: Container, listener: Listener): () => void {
    const listeners = this.#listeners.get(container) ?? new Set();
    this.#listeners.set(container, listeners.add(listener));
    this.#timer ??= setTimeout(() => this.#tick(), interval);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(container);
    };
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#listeners.clear();
  }

  async #tick(): Promise<void> {
    const began = performance.now();
    try {
      await this.#tellAll();
    } catch (error) {
      // Out of descriptors, for one: those who watch miss a reading.
      this.#parts.log.warn({}, `what containers use was not read: ${messageOf(error)}`);
    }
    const pause = Math.max(1, interval - (performance.now() - began));
    this.#timer = this.#listeners.size === 0 ? undefined : setTimeout(() => this.#tick(), pause);
  }

  async #tellAll(): Promise<void> {
    const machine = readMachineCpu();
    for (const [index, [container, listeners]] of [...this.#listeners].entries()) {
      if (index % batch === batch - 1) await setImmediate();
      const sample = this.#due(container, machine);
      for (const listener of listeners) listener(sample);
    }
  }

  /** Somebody may have come, and had it read, since the last tick. */
  #due(container: Container, machine: MachineCpu): StatsSample | undefined {
    const last = this.#latest.get(container);
    const recent = last !== undefined && isOf(last, container) && ageOf(last) < interval / 2;
    return recent && container.isRunning ? last : this.#read(container, machine);
  }

  #read(container: Container, machine: MachineCpu): StatsSample | undefined {
    const sample = takeSample(this.#parts, container, machine);
    if (sample === undefined) this.#latest.delete(container);
    else this.#latest.set(container, sample);
    return sample;
  }
}

function ageOf({ readAt }: StatsSample): number {
  return Date.now() - Number(readAt / 1_000_000n);
}

/** Of this life, not of the one before. */
function isOf({ readAt }: StatsSample, { state }: Container): boolean {
  return readAt >= state.startedAt;
}
