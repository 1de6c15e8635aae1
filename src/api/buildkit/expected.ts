import { orCancelled } from "../../errors/cancel.ts";

/** How long something is waited for that a client begins at the same time. Milliseconds. */
const patience = 10_000;

/** Things by name that may be asked for a little before they are there. */
export class Expected<Value> {
  readonly #values = new Map<string, Value>();
  readonly #waiting = new Set<() => void>();

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** What is there now. */
  peek(name: string): Value | undefined {
    return this.#values.get(name);
  }

  set(name: string, value: Value): void {
    this.#values.set(name, value);
    for (const look of this.#waiting) look();
  }

  /** `value`: only when it is still that one. */
  delete(name: string, value?: Value): void {
    if (value === undefined || this.#values.get(name) === value) this.#values.delete(name);
  }

  /** Rejects with what `missing` makes when nothing comes. */
  async get(name: string, signal: AbortSignal, missing: () => Error): Promise<Value> {
    const late = AbortSignal.timeout(patience);
    const found = Promise.withResolvers<Value>();
    const look = () => {
      const value = this.#values.get(name);
      if (value !== undefined) found.resolve(value);
    };
    this.#waiting.add(look);
    look();
    try {
      return await orCancelled(found.promise, AbortSignal.any([signal, late]));
    } catch (error) {
      if (!late.aborted || signal.aborted) throw error;
      throw missing();
    } finally {
      this.#waiting.delete(look);
    }
  }
}
