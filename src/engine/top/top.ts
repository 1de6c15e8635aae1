import { SampanError } from "../../errors/index.ts";
import { containerEvent } from "../container/events.ts";
import type { Container } from "../container/live.ts";
import { isRestarting } from "../container/pause.ts";
import { cgroupPathOf } from "../container/spec.ts";
import type { EngineParts } from "../parts.ts";
import type { ProcessTable } from "../types.ts";
import { parsePsArguments } from "./arguments.ts";
import { readProcess } from "./process.ts";
import { readSurroundings } from "./surroundings.ts";

/** The processes of a container as `ps ARGUMENTS` on the machine shows them; no ps is needed, here or there. */
export function topContainer(parts: EngineParts, container: Container, psArguments: string): ProcessTable {
  const columns = parsePsArguments(psArguments);
  if (!columns.some(({ heading }) => heading === "PID")) {
    throw new SampanError("failed", "Couldn't find PID field in ps output");
  }
  if (container.state.status === "restarting") throw isRestarting(container);
  if (!container.isRunning) throw new SampanError("conflict", `container ${container.id} is not running`);
  const pids = parts.cgroups.pids(cgroupPathOf(parts, container.record)).toSorted((a, b) => a - b);
  const around = readSurroundings();
  const processes = pids.map(readProcess).filter((process) => process !== undefined);
  containerEvent(parts.events, container, "top");
  return {
    titles: columns.map(({ heading }) => heading),
    processes: processes.map((process) => columns.map(({ value }) => String(value(process, around)))),
  };
}
