import { limitOf, numberOf, parseFlat, readText } from "./files.ts";
import type { BlockIoEntry, CpuUsage, MemoryUsage, PidsUsage, Usage } from "./usage.ts";

/** The directory of the cgroup in a controller's hierarchy; undefined where there is none. */
export type DirectoryOf = (controller: string) => string | undefined;

/** Reads a v1 cgroup: twelve small files. */
export function readUsageV1(directoryOf: DirectoryOf): Usage {
  const reader = (controller: string) => {
    const directory = directoryOf(controller);
    return (file: string) => (directory === undefined ? undefined : readText(`${directory}/${file}`));
  };
  return {
    memory: readMemory(reader("memory")),
    cpu: readCpu(reader("cpuacct"), reader("cpu")),
    pids: readPids(reader("pids")),
    blockIO: readBlockIo(reader("blkio")),
  };
}

type Read = (file: string) => string | undefined;

function readMemory(read: Read): MemoryUsage | undefined {
  const usage = read("memory.usage_in_bytes");
  if (usage === undefined) return undefined;
  return {
    usage: numberOf(usage),
    maxUsage: numberOf(read("memory.max_usage_in_bytes")),
    limit: limitOf(read("memory.limit_in_bytes")),
    failcnt: numberOf(read("memory.failcnt")),
    oomKills: parseFlat(read("memory.oom_control")).oom_kill ?? 0,
    stats: parseFlat(read("memory.stat")),
  };
}

function readCpu(accounting: Read, scheduler: Read): CpuUsage | undefined {
  const total = accounting("cpuacct.usage");
  const perCpu = accounting("cpuacct.usage_percpu");
  if (total === undefined) return undefined;
  const stat = parseFlat(scheduler("cpu.stat"));
  return {
    total: numberOf(total),
    user: numberOf(accounting("cpuacct.usage_user")),
    system: numberOf(accounting("cpuacct.usage_sys")),
    perCpu: perCpu?.trim().split(" ").map(Number),
    periods: stat.nr_periods ?? 0,
    throttledPeriods: stat.nr_throttled ?? 0,
    throttledTime: stat.throttled_time ?? 0,
  };
}

/** Also for v2, whose files are the same. */
export function readPids(read: Read): PidsUsage | undefined {
  const current = read("pids.current");
  return current === undefined ? undefined : { current: numberOf(current), limit: limitOf(read("pids.max")) };
}

function readBlockIo(read: Read): BlockIoEntry[] {
  const entries = new Map<string, BlockIoEntry>();
  // bfq keeps counters of its own and takes what it handles out of the throttling layer's, where it is in use
  const file = (name: string) => {
    const bfq = read(`blkio.bfq.io_${name}_recursive`);
    return bfq && /^\d+:\d+ /m.test(bfq) ? bfq : read(`blkio.throttle.io_${name}_recursive`);
  };
  addLines(entries, file("service_bytes"), { Read: "readBytes", Write: "writeBytes" });
  addLines(entries, file("serviced"), { Read: "reads", Write: "writes" });
  return [...entries.values()];
}

/** Lines of "8:0 Read 4096". */
function addLines(
  entries: Map<string, BlockIoEntry>,
  text: string | undefined,
  fields: { Read: keyof BlockIoEntry; Write: keyof BlockIoEntry },
): void {
  for (const match of (text ?? "").matchAll(/^(\d+):(\d+) (Read|Write) (\d+)$/gm)) {
    const [, major, minor, operation, count] = match;
    const key = `${major}:${minor}`;
    const entry = entries.get(key) ?? {
      major: Number(major),
      minor: Number(minor),
      readBytes: 0,
      writeBytes: 0,
      reads: 0,
      writes: 0,
    };
    entries.set(key, { ...entry, [fields[operation === "Read" ? "Read" : "Write"]]: Number(count) });
  }
}
