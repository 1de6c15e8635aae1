import type { CpuStats, StatsResponse } from "../../api/shapes/stats.ts";

/** What `stats` shows of a container. Sizes are bytes; percentages are of one processor, and of the memory it may use. */
export interface ContainerUsage {
  /** As it was named, or found. */
  readonly container: string;
  readonly id: string;
  readonly name: string;
  /** Nothing has been read yet. */
  readonly unknown: boolean;
  readonly cpu: number;
  readonly memory: number;
  readonly memoryLimit: number;
  readonly memoryShare: number;
  readonly received: number;
  readonly sent: number;
  readonly read: number;
  readonly written: number;
  readonly processes: number;
}

export function unknownUsage(container: string): ContainerUsage {
  const zeros = { cpu: 0, memory: 0, memoryLimit: 0, memoryShare: 0, received: 0, sent: 0, read: 0, written: 0 };
  return { container, id: "", name: "", unknown: true, ...zeros, processes: 0 };
}

/** Docker's arithmetic. */
export function usageOf(container: string, stats: StatsResponse): ContainerUsage {
  const memory = memoryOf(stats);
  const memoryLimit = stats.memory_stats.limit ?? 0;
  const links = Object.values(stats.networks ?? {});
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const blocks = (operation: string) =>
    sum(
      (stats.blkio_stats.io_service_bytes_recursive ?? []).flatMap(({ op, value }) =>
        op.toLowerCase() === operation ? [value] : [],
      ),
    );
  return {
    container,
    id: stats.id,
    name: stats.name.replace(/^\//, ""),
    unknown: false,
    cpu: cpuPercent(stats.cpu_stats, stats.precpu_stats),
    memory,
    memoryLimit,
    memoryShare: memoryLimit === 0 ? 0 : (memory / memoryLimit) * 100,
    received: sum(links.map(({ rx_bytes }) => rx_bytes)),
    sent: sum(links.map(({ tx_bytes }) => tx_bytes)),
    read: blocks("read"),
    written: blocks("write"),
    processes: stats.pids_stats.current ?? 0,
  };
}

function cpuPercent(now: CpuStats, before: CpuStats): number {
  const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage;
  const passed = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0);
  const processors = now.online_cpus ?? now.cpu_usage.percpu_usage?.length ?? 0;
  return used > 0 && passed > 0 ? (used / passed) * processors * 100 : 0;
}

/** Without the file cache that goes as soon as somebody wants the memory: v1's name of it, else v2's. */
function memoryOf({ memory_stats: { usage = 0, stats = {} } }: StatsResponse): number {
  const cache = stats.total_inactive_file ?? stats.inactive_file ?? 0;
  return cache < usage ? usage - cache : usage;
}
