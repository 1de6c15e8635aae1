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

async function command(directory: string, lower: string, network: string): Promise<string[]> {
  const options = network === "bridge" ? ["-b"] : [];
  const filter = join(directory, "seccomp.bpf");
  const profile = { arch: hostArch(), kernel: kernelVersionOf(release()), capabilities: defaultCapabilities };
  writeFileSync(filter, seccompFilter(defaultSeccompProfile, profile).program);
  options.push("-c", filter);
  return [await compile("limit", directory), ...options, mkdtempSync(join(directory, "limit-")), lower, "/bin/true"];
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
