import { limitOf, numberOf, parseFlat, readText } from "./files.ts";
import type { BlockIoEntry, CpuUsage, MemoryUsage, Usage } from "./usage.ts";
import { readPids } from "./usage-v1.ts";

type Read = (file: string) => string | undefined;

/** Reads a v2 cgroup: nine small files. */
export function readUsageV2(directory: string): Usage {
  const read: Read = (file) => readText(`${directory}/${file}`);
  return { memory: readMemory(read), cpu: readCpu(read), pids: readPids(read), blockIO: readBlockIo(read) };
}

function readMemory(read: Read): MemoryUsage | undefined {
  const usage = read("memory.current");
  if (usage === undefined) return undefined;
  const events = parseFlat(read("memory.events"));
  const peak = read("memory.peak");
  return {
    usage: numberOf(usage),
    maxUsage: peak === undefined ? undefined : numberOf(peak),
    limit: limitOf(read("memory.max")),
    failcnt: events.max ?? 0,
    oomKills: events.oom_kill ?? 0,
    stats: parseFlat(read("memory.stat")),
  };
}

/** cpu.stat has the times even where the cpu controller is not enabled. */
function readCpu(read: Read): CpuUsage | undefined {
  const text = read("cpu.stat");
  if (text === undefined) return undefined;
  const stat = parseFlat(text);
  return {
    total: (stat.usage_usec ?? 0) * 1000,
    user: (stat.user_usec ?? 0) * 1000,
    system: (stat.system_usec ?? 0) * 1000,
    perCpu: undefined,
    periods: stat.nr_periods ?? 0,
    throttledPeriods: stat.nr_throttled ?? 0,
    throttledTime: (stat.throttled_usec ?? 0) * 1000,
  };
}

/** Lines of "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6". */
function readBlockIo(read: Read): BlockIoEntry[] {
  return [...(read("io.stat") ?? "").matchAll(/^(\d+):(\d+) (.*)$/gm)].map(([, major, minor, rest = ""]) => {
    const values = Object.fromEntries(rest.split(" ").map((pair) => pair.split("=") as [string, string]));
    return {
      major: Number(major),
      minor: Number(minor),
      readBytes: numberOf(values.rbytes),
      writeBytes: numberOf(values.wbytes),
      reads: numberOf(values.rios),
      writes: numberOf(values.wios),
    };
  });
}
