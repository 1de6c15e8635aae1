import type { WaitResult } from "../types.ts";

/** As many as nobody starts within the time that a client needs for its next request. */
const kept = 1024;

/**
 * How the last containers ended that removed themselves. A client that starts a container and then waits for it (dockerode
 * and docker-py do so, one request after the other) would find a short-lived one gone: with dockerd it comes in time,
 * because the removal takes longer than its request.
 */
export class Departures {
  readonly #results = new Map<string, WaitResult>();

  note(id: string, result: WaitResult): void {
    this.#results.set(id, result);
    const [oldest] = this.#results.keys();
    if (this.#results.size > kept && oldest !== undefined) this.#results.delete(oldest);
  }

  /** By full id: a name may be another's by now. */
  of(id: string): WaitResult | undefined {
    return this.#results.get(id);
  }
}
