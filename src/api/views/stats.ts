import { rfc3339 } from "../../engine/time.ts";
import type { EngineInfo, LinkCounters, StatsReading, StatsSample } from "../../engine/types.ts";
import type { BlkioEntry, BlkioStats, CpuStats, MemoryStats, NetworkStats, StatsResponse } from "../shapes/stats.ts";

/** What is of interest about the machine. */
type Machine = Pick<EngineInfo, "cgroupVersion" | "memory">;

/** One reading; zeros for a container that does not run, as dockerd. */
export function statsJson({ id, name, sample, previous }: StatsReading, machine: Machine): StatsResponse {
  const limit = sample?.usage.pids?.limit;
  return {
    name: `/${name}`,
    id,
    read: rfc3339(sample?.readAt ?? 0n),
    preread: rfc3339(previous?.readAt ?? 0n),
    pids_stats: {
      ...(sample?.usage.pids && { current: sample.usage.pids.current }),
      ...(limit !== undefined && { limit }),
    },
    blkio_stats: blkioStats(sample, machine),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: cpuStats(sample),
    precpu_stats: cpuStats(previous),
    memory_stats: sample === undefined ? {} : memoryStats(sample, machine),
    ...networks(sample),
  };
}

function cpuStats(sample: StatsSample | undefined): CpuStats {
  const cpu = sample?.usage.cpu;
  return {
    cpu_usage: {
      total_usage: cpu?.total ?? 0,
      ...(cpu?.perCpu && { percpu_usage: cpu.perCpu }),
      usage_in_kernelmode: cpu?.system ?? 0,
      usage_in_usermode: cpu?.user ?? 0,
    },
    ...(sample && { system_cpu_usage: sample.machine.total, online_cpus: sample.machine.online }),
    throttling_data: {
      periods: cpu?.periods ?? 0,
      throttled_periods: cpu?.throttledPeriods ?? 0,
      throttled_time: cpu?.throttledTime ?? 0,
    },
  };
}

function memoryStats({ usage: { memory } }: StatsSample, machine: Machine): MemoryStats {
  if (memory === undefined) return {};
  const limit = Math.min(memory.limit ?? machine.memory, machine.memory);
  const { usage, stats } = memory;
  if (machine.cgroupVersion === "2") return { usage, stats, limit };
  return {
    usage,
    ...(memory.maxUsage !== undefined && { max_usage: memory.maxUsage }),
    stats,
    ...(memory.failcnt > 0 && { failcnt: memory.failcnt }),
    limit,
  };
}

const unread = {
  io_queue_recursive: null,
  io_service_time_recursive: null,
  io_wait_time_recursive: null,
  io_merged_recursive: null,
  io_time_recursive: null,
  sectors_recursive: null,
} satisfies Partial<BlkioStats>;

/** v1 names the operations with capitals and counts them, too; dockerd tells of v2 only bytes. */
function blkioStats(sample: StatsSample | undefined, { cgroupVersion }: Machine): BlkioStats {
  if (sample === undefined) return { io_service_bytes_recursive: null, io_serviced_recursive: null, ...unread };
  const { blockIO } = sample.usage;
  const entries = (reads: "readBytes" | "reads", writes: "writeBytes" | "writes"): BlkioEntry[] =>
    blockIO.flatMap((device) => [
      { major: device.major, minor: device.minor, op: cgroupVersion === "2" ? "read" : "Read", value: device[reads] },
      {
        major: device.major,
        minor: device.minor,
        op: cgroupVersion === "2" ? "write" : "Write",
        value: device[writes],
      },
    ]);
  const bytes = entries("readBytes", "writeBytes");
  if (cgroupVersion === "2") {
    return { io_service_bytes_recursive: bytes.length === 0 ? null : bytes, io_serviced_recursive: null, ...unread };
  }
  const none = Object.fromEntries(Object.keys(unread).map((key) => [key, []])) as unknown as typeof unread;
  return { io_service_bytes_recursive: bytes, io_serviced_recursive: entries("reads", "writes"), ...none };
}

function networks(sample: StatsSample | undefined): { networks?: Record<string, NetworkStats> } {
  const links = Object.entries(sample?.links ?? {});
  if (links.length === 0) return {};
  return { networks: Object.fromEntries(links.map(([name, link]) => [name, networkStats(link)])) };
}

function networkStats(link: LinkCounters): NetworkStats {
  return {
    rx_bytes: link.rxBytes,
    rx_packets: link.rxPackets,
    rx_errors: link.rxErrors,
    rx_dropped: link.rxDropped,
    tx_bytes: link.txBytes,
    tx_packets: link.txPackets,
    tx_errors: link.txErrors,
    tx_dropped: link.txDropped,
  };
}
