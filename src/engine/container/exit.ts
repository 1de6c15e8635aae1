import type { Exit } from "../../runtime/types.ts";
import type { EngineParts } from "../parts.ts";
import { containerEvent } from "./events.ts";
import type { Container } from "./live.ts";

/** Notes that a container's process has ended, and tells everybody. */
export function noteExit({ registry, events, log }: EngineParts, container: Container, exit: Exit): void {
  container.running = undefined;
  container.state = {
    ...container.state,
    status: "exited",
    pid: 0,
    exitCode: exit.code,
    oomKilled: exit.oomKilled,
    finishedAt: exit.at,
  };
  try {
    registry.writeState(container);
  } catch (error) {
    log.error(
      { error, container: container.id },
      "an exit is not written down; the next daemon learns it from the exit file",
    );
  }
  if (exit.oomKilled) containerEvent(events, container, "oom");
  const seconds = (exit.at - container.state.startedAt) / 1_000_000_000n;
  containerEvent(events, container, "die", {
    execDuration: String(seconds < 0n ? 0n : seconds),
    exitCode: String(exit.code),
  });
  container.tellExit();
}
