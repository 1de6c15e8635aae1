import { cancelled } from "../errors/cancel.ts";

/** At most `count` at a time; who asked first goes first. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Whether the next `take` would wait. */
  get full(): boolean {
    return this.#free === 0;
  }

  /** Takes a place, in the order of the calls; the result gives it back. Kind "cancelled" when aborted while waiting. */
  async take(signal: AbortSignal): Promise<() => void> {
    if (this.#free > 0) this.#free--;
    else await this.#turn(signal);
    let mine = true;
    return () => {
      if (mine) this.#next();
      mine = false;
    };
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const go = () => {
        signal.removeEventListener("abort", abort);
        resolve();
      };
      const abort = () => {
        this.#waiting.splice(this.#waiting.indexOf(go), 1);
        reject(cancelled(signal));
      };
      if (signal.aborted) return reject(cancelled(signal));
      signal.addEventListener("abort", abort, { once: true });
      this.#waiting.push(go);
    });
  }

  #next(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
