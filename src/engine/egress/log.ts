import type { EgressAttempt } from "../../network/egress/types.ts";
import type { NetworkRecord } from "../../network/types.ts";
import type { Events } from "../events/log.ts";
import type { EgressRecord } from "./types.ts";

/** Attempts that are remembered of each container. */
const remembered = 256;

/** What egress policies have refused: told as events, and the last of each container remembered until it is removed. */
export class EgressLog {
  readonly #events: Events;
  readonly #networkOf: (id: string) => NetworkRecord | undefined;
  readonly #rings = new Map<string, EgressRecord[]>();
  readonly #listeners = new Map<string, Set<(record: EgressRecord) => void>>();

  constructor(events: Events, networkOf: (id: string) => NetworkRecord | undefined) {
    this.#events = events;
    this.#networkOf = networkOf;
  }

  note({ containerId, networkId = "", ...attempt }: EgressAttempt): void {
    const network = this.#networkOf(networkId);
    const record = { ...attempt, network: network?.name ?? "" };
    const ring = this.#rings.get(containerId) ?? [];
    this.#rings.set(containerId, ring);
    ring.push(record);
    if (ring.length > remembered) ring.shift();
    const { destination, port, protocol, name, source } = attempt;
    this.#events.emit("network", "egress", networkId, {
      container: containerId,
      destination,
      ...(port !== undefined && { port: String(port) }),
      protocol,
      ...(name !== undefined && { name }),
      ...(source !== undefined && { source }),
      network: record.network,
      ...(network && { type: network.driver }),
    });
    for (const listener of this.#listeners.get(containerId) ?? []) listener(record);
  }

  /** Oldest first. */
  of(containerId: string): readonly EgressRecord[] {
    return this.#rings.get(containerId) ?? [];
  }

  /** Calls `listener` for everything from now on; the answer ends that. */
  subscribe(containerId: string, listener: (record: EgressRecord) => void): () => void {
    const here = this.#listeners.get(containerId) ?? new Set();
    this.#listeners.set(containerId, here);
    here.add(listener);
    return () => {
      here.delete(listener);
      if (here.size === 0) this.#listeners.delete(containerId);
    };
  }

  forget(containerId: string): void {
    this.#rings.delete(containerId);
  }
}
