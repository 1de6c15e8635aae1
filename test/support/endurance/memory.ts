import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** Proportional set size of a process in kB: its own memory, and its share of what it has in common with others. */
export function memoryOf(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1]);
}

/** The daemon's at rest, in kB: it gives back what it can twenty seconds after the last request. */
export async function memoryAtRest(pid: number | undefined): Promise<number> {
  await delay(25_000);
  return memoryOf(pid ?? 0);
}
