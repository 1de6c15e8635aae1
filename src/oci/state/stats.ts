import type { Usage } from "../../cgroups/types.ts";

/** No limit, as v1 and hence runc's JSON has it. */
const unlimited = 2 ** 63 - 1024;

/** What a container uses, in the shape of runc's `events` (its types/events.go), which containerd and podman read. */
export function shownStats(usage: Usage) {
  return {
    cpu: cpuStats(usage.cpu),
    memory: memoryStats(usage.memory),
    pids: usage.pids === undefined ? {} : { current: usage.pids.current, limit: usage.pids.limit ?? 0 },
    blkio: blkioStats(usage.blockIO),
    hugetlb: {},
    intel_rdt: {},
    network_interfaces: null,
  };
}

function cpuStats(cpu: Usage["cpu"]) {
  if (cpu === undefined) return {};
  const { total, user, system, perCpu, periods, throttledPeriods, throttledTime } = cpu;
  return {
    usage: { total, ...(perCpu && { percpu: perCpu }), kernel: system, user },
    throttling: { periods, throttledPeriods, throttledTime },
  };
}

function memoryStats(memory: Usage["memory"]) {
  if (memory === undefined) return {};
  const { usage, maxUsage, limit, failcnt, stats } = memory;
  return {
    cache: stats.cache ?? stats.file ?? 0,
    usage: { limit: limit ?? unlimited, usage, max: maxUsage ?? 0, failcnt },
    raw: stats,
  };
}

function blkioStats(entries: Usage["blockIO"]) {
  const list = (read: "readBytes" | "reads", write: "writeBytes" | "writes") =>
    entries.flatMap(({ major, minor, ...values }) => [
      { major, minor, op: "Read", value: values[read] },
      { major, minor, op: "Write", value: values[write] },
    ]);
  return { ioServiceBytesRecursive: list("readBytes", "writeBytes"), ioServicedRecursive: list("reads", "writes") };
}
