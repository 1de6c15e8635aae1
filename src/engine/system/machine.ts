import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { Machine } from "../request/limits.ts";

/** A file's first line; "" when it cannot be read. */
export function readLine(path: string): string {
  try {
    return readFileSync(path, "utf8").split("\n", 1)[0] ?? "";
  } catch {
    return "";
  }
}

/** What this machine has to give. */
export function readMachine(): Machine {
  const cpus = availableParallelism();
  return {
    cpus,
    onlineCpus: readLine("/sys/devices/system/cpu/online") || `0-${cpus - 1}`,
    onlineMems: readLine("/sys/devices/system/node/online") || "0",
  };
}
