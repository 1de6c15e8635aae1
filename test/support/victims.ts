import { readdirSync, readFileSync } from "node:fs";
import type { Layout } from "../../src/storage/layout.ts";
import { processesOf } from "./leaks.ts";

/** Who would miss a process; 0 when it is gone. */
export function parentOf(pid: number): number {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  } catch {
    return 0;
  }
}

/** The process that listens at the executor's socket, a child of the daemon. */
export function executorOf(daemon: number | undefined): number | undefined {
  if (daemon === undefined) return undefined;
  const children = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && parentOf(Number(name)) === daemon);
  return children.map(Number).find((pid) => commandOf(pid).startsWith("sampan-executor"));
}

/** The monitors of a root's containers, by the container's id; those of execs are not among them. */
export function monitorsOf(layout: Layout): Map<string, number> {
  const found = new Map<string, number>();
  for (const { pid, command } of processesOf(layout)) {
    const id = /^sampan-monitor ([0-9a-f]{64})$/.exec(command)?.[1];
    if (id !== undefined) found.set(id, pid);
  }
  return found;
}

/** SIGKILL; what has ended already is no error. */
export function killNow(pid: number | undefined): void {
  try {
    if (pid !== undefined && pid > 1) process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8");
  } catch {
    return "";
  }
}
