import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { succeed } from "../../test/support/process.ts";
import { clocked, compile } from "./clock.ts";
import type { Contestant } from "./measure.ts";

/** The limit as a contestant. */
export async function limit(directory: string, lower: string): Promise<Contestant> {
  const scratch = join(directory, "limit-scratch");
  mkdirSync(scratch);
  return clocked("the limit (C)", [await compile("limit", directory), scratch, lower, "/bin/true"]);
}

/** Containers per second of the limit, `jobs` at a time. */
export async function limitThroughput(directory: string, lower: string, count: number, jobs: number): Promise<number> {
  const scratch = join(directory, "limit-many");
  mkdirSync(scratch);
  const binary = await compile("limit", directory);
  const nanoseconds = await succeed(binary, [scratch, lower, "/bin/true", `${count}`, `${jobs}`]);
  return count / (Number(nanoseconds) / 1e9);
}
