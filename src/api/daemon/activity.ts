/** Counts what is under way, to know when nothing has been for a while. */
export class Activity {
  #count = 0;
  #idleSince = Date.now();
  readonly #listeners = new Set<() => void>();

  /** Says that something has begun; the returned function, called once or more, that it has ended. */
  begin(): () => void {
    this.#count++;
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      this.#count--;
      this.#idleSince = Date.now();
      if (this.#count === 0) for (const listener of this.#listeners) listener();
    };
  }

  /** Milliseconds since the last thing ended; 0 while something is under way. */
  get idleFor(): number {
    return this.#count > 0 ? 0 : Date.now() - this.#idleSince;
  }

  /** Calls `listener` whenever the last thing under way has ended; the returned function stops that. */
  onSettled(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when nothing is under way, or after `patience` ms. */
  settled(patience: number): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        stop();
        resolve();
      };
      const timer = setTimeout(done, patience);
      const stop = this.onSettled(done);
    });
  }
}
