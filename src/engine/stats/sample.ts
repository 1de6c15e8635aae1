import { readFileSync } from "node:fs";
import type { Container } from "../container/live.ts";
import { cgroupPathOf } from "../container/spec.ts";
import type { EngineParts } from "../parts.ts";
import { nowNs } from "../time.ts";
import type { LinkCounters, MachineCpu, StatsSample } from "../types.ts";

/** What a container uses now; undefined when it does not run, or is just ending. */
export function takeSample(parts: EngineParts, container: Container, machine: MachineCpu): StatsSample | undefined {
  const { running, record } = container;
  if (running === undefined) return undefined;
  try {
    const usage = parts.cgroups.usage(cgroupPathOf(parts, record));
    return { readAt: nowNs(), usage, machine, links: linksOf(container, running.pid) };
  } catch {
    return undefined;
  }
}

/** The counters of the links in its network; none where that is the machine's, as for dockerd. */
function linksOf({ record }: Container, pid: number): Readonly<Record<string, LinkCounters>> {
  if (record.hostConfig.NetworkMode === "host") return {};
  try {
    return parseLinks(readFileSync(`/proc/${pid}/net/dev`, "latin1"));
  } catch {
    return {};
  }
}

/** /proc/net/dev (proc_pid_net(5)) without the loopback interface. */
export function parseLinks(text: string): Record<string, LinkCounters> {
  const links: Record<string, LinkCounters> = {};
  for (const line of text.split("\n").slice(2)) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).trim();
    if (name === "" || name === "lo") continue;
    const counts = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
      .map(Number);
    const [rxBytes = 0, rxPackets = 0, rxErrors = 0, rxDropped = 0] = counts;
    const [txBytes = 0, txPackets = 0, txErrors = 0, txDropped = 0] = counts.slice(8);
    links[name] = { rxBytes, rxPackets, rxErrors, rxDropped, txBytes, txPackets, txErrors, txDropped };
  }
  return links;
}

/** The machine's processor time, of which a container's is a share. */
export function readMachineCpu(): MachineCpu {
  return parseMachineCpu(readFileSync("/proc/stat", "latin1"));
}

/** Ticks of /proc/stat are 1/100 s, for user space on all architectures. */
const nanosecondsPerTick = 10_000_000;

export function parseMachineCpu(text: string): MachineCpu {
  const [, ...ticks] = (/^cpu .*$/m.exec(text)?.[0] ?? "").split(/\s+/).map(Number);
  // user, nice, system, idle, iowait, irq, softirq: what docker's command line takes as the whole
  const total = ticks.slice(0, 7).reduce((sum, value) => sum + value, 0);
  return { total: total * nanosecondsPerTick, online: text.match(/^cpu\d+ /gm)?.length ?? 1 };
}
