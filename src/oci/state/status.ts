import { existsSync, readFileSync } from "node:fs";
import { openCgroupsAt } from "../../cgroups/index.ts";
import { gateNames } from "../../runtime/bundle/gate.ts";
import type { ContainerRecord, Store } from "./store.ts";

export type Status = "creating" | "created" | "running" | "paused" | "stopped";

/** When a process began, in ticks since boot; undefined when there is none, or it has ended and nobody has looked. */
export function startTimeOf(pid: number): string | undefined {
  if (pid <= 0) return undefined;
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return undefined;
  }
  // The name in parentheses may hold anything: fields count from behind it (proc_pid_stat(5))
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}

/** Whether the container's first process lives. */
export function isAlive(record: ContainerRecord): boolean {
  return record.pid > 0 && startTimeOf(record.pid) === record.startTime;
}

/** Where a container is in its life, as the kernel has it. */
export function statusOf(store: Store, record: ContainerRecord): Status {
  if (record.pid === 0) return "creating";
  if (!isAlive(record)) return "stopped";
  if (existsSync(`${store.directoryOf(record.id)}/${gateNames.start}`)) return "created";
  return openCgroupsAt(record.cgroupPath).frozen(record.cgroupPath) ? "paused" : "running";
}
