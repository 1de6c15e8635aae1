import type { Usage } from "../../cgroups/types.ts";

/** Since the link is there. */
export interface LinkCounters {
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly rxErrors: number;
  readonly rxDropped: number;
  readonly txBytes: number;
  readonly txPackets: number;
  readonly txErrors: number;
  readonly txDropped: number;
}

/** The processors of the machine, since its start. */
export interface MachineCpu {
  /** Nanoseconds of all of them together, idle ones included. */
  readonly total: number;
  readonly online: number;
}

/** What a container has used by one moment. */
export interface StatsSample {
  /** Unix nanoseconds. */
  readonly readAt: bigint;
  readonly usage: Usage;
  readonly machine: MachineCpu;
  /** By the link's name in the container. */
  readonly links: Readonly<Record<string, LinkCounters>>;
}

export interface StatsReading {
  readonly id: string;
  /** Without a slash. */
  readonly name: string;
  /** undefined when it does not run. */
  readonly sample: StatsSample | undefined;
  /** The reading before, to see what has been used in between. */
  readonly previous: StatsSample | undefined;
}

/** What containers use. Each is read once a second at most, however many ask. */
export interface Stats {
  /** With the reading before, which takes a second; without, at once, with `oneShot`. */
  read(
    reference: string,
    options?: { readonly oneShot?: boolean | undefined; readonly signal?: AbortSignal | undefined },
  ): Promise<StatsReading>;
  /** Every second, until the container is removed or `signal` fires. Throws when there is none. */
  follow(reference: string, signal: AbortSignal): AsyncIterable<StatsReading>;
}
