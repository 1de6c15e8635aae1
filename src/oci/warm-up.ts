import { openCgroupsAt } from "../cgroups/index.ts";
import { createProgram } from "../runtime/bundle/create.ts";
import { readBundle } from "./config/bundle.ts";
import { runHooks } from "./life/hooks.ts";
import { containerOf } from "./translate/container.ts";

/**
 * Does what the most frequent commands do, for tools/warm-up-runtime.ts: all but what only root may. `directory` is an empty
 * bundle, with a root file system.
 */
export async function warmUp(directory: string, main: (args: readonly string[]) => Promise<number>): Promise<void> {
  const root = `${directory}/state`;
  await main(["spec", "--bundle", directory]);
  const container = containerOf(readBundle(directory), { id: "warm", newKeyring: true, pivot: true });
  const options = { directory, connection: 3, pause: true, afterwards: "wait", ownedStreams: [] } as const;
  // There is no cgroup that could be limited
  const unlimited = { ...container, resources: {} };
  createProgram(unlimited, options, openCgroupsAt(container.cgroupPath)).program.encode();
  await runHooks([], "prestart", "");
  const log = ["--log", `${directory}/log`, "--log-format", "json", "--root", root];
  for (const command of ["list", "features"]) await main([...log, command]);
}
