import { rmdirSync } from "node:fs";
import { posix } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openCgroupsAt } from "../../cgroups/index.ts";
import { messageOf, SampanError } from "../../errors/index.ts";
import type { Bundle } from "../config/bundle.ts";
import type { Context } from "../context.ts";
import type { Log } from "../log.ts";
import { isAlive } from "../state/status.ts";
import type { ContainerRecord } from "../state/store.ts";
import { cgroupParent, hookedContainer } from "../translate/container.ts";
import { hookState, hooksOf } from "../translate/hooks.ts";
import { runHooks } from "./hooks.ts";

/** How long a process that was killed may take to end: 10 s, as in runc. */
const patience = 10_000;

/** SIGKILL for its first process, and all others where it does not take these along; waits until it has ended. `timeout` */
export async function killContainer(record: ContainerRecord): Promise<void> {
  const cgroups = openCgroupsAt(record.cgroupPath);
  if (isAlive(record)) process.kill(record.pid, "SIGKILL");
  if (cgroups.layout.version === "v1" && cgroups.frozen(record.cgroupPath)) await cgroups.thaw(record.cgroupPath);
  const deadline = performance.now() + patience;
  for (let pause = 1; isAlive(record); pause = Math.min(pause * 2, 50)) {
    if (performance.now() > deadline)
      throw new SampanError("timeout", `Cannot remove container ${record.id}: its first process has not ended`);
    await sleep(pause);
  }
}

/** Removes what a stopped container has left: processes outside a PID namespace, its cgroups, its state; then `poststop`. */
export async function removeContainer({ store, log }: Context, record: ContainerRecord): Promise<void> {
  const cgroups = openCgroupsAt(record.cgroupPath);
  if (!record.ownPids) await cgroups.kill(record.cgroupPath);
  await cgroups.removeNow(record.cgroupPath);
  if (posix.dirname(record.cgroupPath) === cgroupParent)
    for (const { mountPoint } of cgroups.layout.hierarchies) removeIfEmpty(mountPoint + cgroupParent);
  const bundle = store.bundleOf(record);
  store.remove(record.id);
  await runPoststop(bundle, record.id, log);
}

/** The hooks of a container that is no more. */
export async function runPoststop(bundle: Bundle, id: string, log: Log): Promise<void> {
  const state = hookState(hookedContainer(bundle, id), "stopped", 0);
  for (const [index, hook] of hooksOf(bundle.config, "poststop").entries()) {
    try {
      await runHooks([hook], "poststop", state);
    } catch (error) {
      // runtime.md, "Lifecycle", step 13: a warning, and the rest goes on
      log.warn(`poststop hook #${index}: ${messageOf(error)}`);
    }
  }
}

/** Ours, and nobody's when its last container has gone. */
function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {}
}
