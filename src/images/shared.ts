/** Work under way; `done` settles when it is over, including its cleaning up. */
export interface Flight {
  readonly done: Promise<unknown>;
  /** Called when it is over and the last party has left. */
  end?(): Promise<void>;
}

/** One party's interest in a flight. */
export interface Membership<F extends Flight> {
  readonly flight: F;
  /** Ends the interest. When it was the last one, the flight is aborted, and this waits until it is over. */
  leave(): Promise<void>;
}

interface Entry<F> {
  readonly flight: F;
  readonly abort: AbortController;
  members: number;
  over: boolean;
}

/** Work by key that several parties want at the same time and that is done once. */
export class Shared<F extends Flight> {
  readonly #entries = new Map<string, Entry<F>>();

  /** Joins the flight of `key`, or starts it. The signal fires when nobody is left who wants it. */
  async join(key: string, start: (signal: AbortSignal) => F): Promise<Membership<F>> {
    for (;;) {
      const entry = this.#entries.get(key);
      if (entry === undefined) return this.#member(this.#start(key, start));
      if (!entry.abort.signal.aborted) return this.#member(entry);
      // Given up, but still cleaning up: only afterwards it can be done anew.
      await entry.flight.done.catch(() => undefined);
    }
  }

  #start(key: string, start: (signal: AbortSignal) => F): Entry<F> {
    const abort = new AbortController();
    const entry: Entry<F> = { flight: start(abort.signal), abort, members: 0, over: false };
    this.#entries.set(key, entry);
    const end = () => {
      entry.over = true;
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    };
    entry.flight.done.then(end, end);
    return entry;
  }

  #member(entry: Entry<F>): Membership<F> {
    let left = false;
    entry.members++;
    return {
      flight: entry.flight,
      leave: async () => {
        if (left) return;
        left = true;
        if (--entry.members > 0) return;
        if (!entry.over) entry.abort.abort();
        await entry.flight.done.catch(() => undefined);
        await entry.flight.end?.();
      },
    };
  }
}
