import type { BlockDevice } from "./resources.ts";

/** What a container uses, in one shape for both versions. Times in ns, sizes in bytes. */
export interface Usage {
  readonly memory: MemoryUsage | undefined;
  readonly cpu: CpuUsage | undefined;
  readonly pids: PidsUsage | undefined;
  readonly blockIO: readonly BlockIoEntry[];
}

export interface MemoryUsage {
  readonly usage: number;
  /** Highest usage so far; undefined before Linux 5.19 on v2. */
  readonly maxUsage: number | undefined;
  /** undefined: none. */
  readonly limit: number | undefined;
  /** How often the limit was hit. */
  readonly failcnt: number;
  readonly oomKills: number;
  /** memory.stat as the kernel names it, for Docker's `memory_stats.stats`. */
  readonly stats: Readonly<Record<string, number>>;
}

export interface CpuUsage {
  readonly total: number;
  readonly user: number;
  readonly system: number;
  /** v1 only. */
  readonly perCpu: readonly number[] | undefined;
  readonly periods: number;
  readonly throttledPeriods: number;
  readonly throttledTime: number;
}

export interface PidsUsage {
  readonly current: number;
  /** undefined: none. */
  readonly limit: number | undefined;
}

export interface BlockIoEntry extends BlockDevice {
  readonly readBytes: number;
  readonly writeBytes: number;
  readonly reads: number;
  readonly writes: number;
}
