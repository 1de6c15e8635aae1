import { type Digest, hexOf } from "../storage/digest.ts";
import type { Progress } from "./types.ts";

/** Progress lines of one piece of work for everybody who follows it; who comes late gets the last line first. */
export class Feed {
  readonly #listeners = new Set<(line: Progress) => void>();
  readonly #id: string;
  #last: Progress | undefined;

  constructor(id: string) {
    this.#id = id;
  }

  tell(status: string, bytes?: { current: number; total: number }): void {
    this.#last = { id: this.#id, status, ...bytes };
    for (const listener of this.#listeners) listener(this.#last);
  }

  /** Returns what ends the listening. */
  listen(listener: (line: Progress) => void): () => void {
    this.#listeners.add(listener);
    if (this.#last !== undefined) listener(this.#last);
    return () => this.#listeners.delete(listener);
  }
}

/** Calls `tell` at most ten times a second. */
export function tenTimesASecond(tell: () => void): () => void {
  let next = 0;
  return () => {
    const now = performance.now();
    if (now < next) return;
    next = now + 100;
    tell();
  };
}

/** The twelve digits that people see. */
export function shortId(digest: Digest): string {
  return hexOf(digest).slice(0, 12);
}
