import { mkdtempSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { defaultCapabilities } from "../../src/kernel/capabilities.ts";
import { defaultSeccompProfile, kernelVersionOf, seccompFilter } from "../../src/kernel/seccomp/index.ts";
import { hostArch } from "../../src/kernel/syscalls/index.ts";
import { succeed } from "../../test/support/process.ts";
import { clocked, compile } from "./clock.ts";
import type { Contestant } from "./measure.ts";
import type { Crowd } from "./throughput.ts";

export const theLimit = "the limit (C)";

/** -c with Docker's filter, which is written into `directory`. */
function confined(directory: string): string[] {
  const filter = join(directory, "seccomp.bpf");
  const profile = { arch: hostArch(), kernel: kernelVersionOf(release()), capabilities: defaultCapabilities };
  writeFileSync(filter, seccompFilter(defaultSeccompProfile, profile).program);
  return ["-c", filter];
}

async function command(directory: string, lower: string, network: string): Promise<string[]> {
  const options = [...(network === "bridge" ? ["-b"] : []), ...confined(directory)];
  return [await compile("limit", directory), ...options, mkdtempSync(join(directory, "limit-")), lower, "/bin/true"];
}

/** The limit of exec: one more process in the container of process `pid`. */
export async function limitOfExec(directory: string, pid: number): Promise<Contestant> {
  return clocked(theLimit, [await compile("enter", directory), ...confined(directory), `${pid}`, "/bin/true"]);
}

/** The limit as a contestant; `network` is "none" or "bridge". */
export async function limit(directory: string, lower: string, network: string): Promise<Contestant> {
  return clocked(theLimit, await command(directory, lower, network));
}

/** The limit, making a crowd each time. */
export function limitCrowd(
  { directory, lower, network }: { directory: string; lower: string; network: string },
  { count, jobs }: Crowd,
): Contestant {
  return {
    name: theLimit,
    once: async () => {
      const [file = "", ...args] = await command(directory, lower, network);
      return Number(await succeed(file, [...args, `${count}`, `${jobs}`])) / 1e6;
    },
  };
}
