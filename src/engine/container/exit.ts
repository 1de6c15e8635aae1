import type { Exit } from "../../runtime/types.ts";
import { endpointEvents } from "../networks/events.ts";
import type { EngineParts } from "../parts.ts";
import { leaveVolumes, volumeEvents } from "../volumes/use.ts";
import { containerEvent } from "./events.ts";
import { unlinkIfThere } from "./files.ts";
import type { Container } from "./live.ts";
import { cgroupPathOf } from "./spec.ts";

/** Does what a monitor that was killed has left undone. */
export async function endWithMonitor(parts: EngineParts, container: Container): Promise<void> {
  const path = cgroupPathOf(parts, container.record);
  const { files, state } = container;
  try {
    await parts.cgroups.kill(path);
    await parts.runtime.sweep(path);
    unlinkIfThere(files.monitor(state.starts, undefined).socket);
  } catch (error) {
    parts.log.warn({ error, container: container.id }, "the cgroup of a container whose monitor was killed is left");
  }
}

/** Notes that a container's process has ended, and tells everybody. */
export function noteExit(parts: EngineParts, container: Container, exit: Exit): void {
  const { registry, events, log } = parts;
  const endpoints = container.sandbox?.endpoints ?? [];
  container.running = undefined;
  container.sandbox = undefined;
  container.health?.stop();
  container.state = {
    ...container.state,
    status: "exited",
    pid: 0,
    exitCode: exit.code,
    oomKilled: exit.oomKilled,
    finishedAt: exit.at,
    network: undefined,
    // dockerd's word for what nobody probes any more.
    health: container.state.health && { ...container.state.health, status: "unhealthy" },
  };
  try {
    registry.writeExit(container);
  } catch (error) {
    log.error(
      { error, container: container.id },
      "an exit is not written down; the next daemon learns it from the exit file",
    );
  }
  if (exit.oomKilled) containerEvent(events, container, "oom");
  endpointEvents(parts, container, "disconnect", endpoints);
  volumeEvents(parts, container.record, "unmount");
  const seconds = (exit.at - container.state.startedAt) / 1_000_000_000n;
  containerEvent(events, container, "die", {
    execDuration: String(seconds < 0n ? 0n : seconds),
    exitCode: String(exit.code),
  });
  leaveVolumes(parts, container.record).catch((error) => {
    log.error({ error, container: container.id }, "a volume is still mounted");
  });
  container.tellExit();
}
