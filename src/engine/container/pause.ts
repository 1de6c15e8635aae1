import { messageOf, SampanError } from "../../errors/index.ts";
import { HealthMonitor } from "../health/health.ts";
import type { EngineParts } from "../parts.ts";
import { containerEvent } from "./events.ts";
import type { Container } from "./live.ts";
import { cgroupPathOf } from "./spec.ts";

/** Freezes every process of a container that runs; the caller holds its lock. */
export async function pauseContainer(parts: EngineParts, container: Container): Promise<void> {
  const { id, running, state } = container;
  if (state.status === "restarting") throw isRestarting(container);
  if (running === undefined) throw new SampanError("conflict", `container ${id} is not running`);
  if (state.status === "paused") throw new SampanError("conflict", `Container ${id} is already paused`);
  const ended = () => new SampanError("conflict", `container ${id} is not running`);
  await parts.cgroups.freeze(cgroupPathOf(parts, container.record)).catch((error) => {
    throw isGone(error) ? ended() : error;
  });
  if (container.running !== running) throw ended();
  note(parts, container, "paused");
}

/** The cgroup goes with the last process. */
function isGone(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}

/** Lets them go on. */
export async function unpauseContainer(parts: EngineParts, container: Container): Promise<void> {
  if (container.state.status !== "paused") {
    throw new SampanError("failed", `Container ${container.id} is not paused`);
  }
  await parts.cgroups.thaw(cgroupPathOf(parts, container.record)).catch((error) => {
    if (!isGone(error)) throw error;
  });
  // Its end, or a signal that was to end it, may have come meanwhile.
  if (container.state.status === "paused") note(parts, container, "running");
}

/** As above for a container that is to end: a frozen process takes no signal. Resolves by itself; nobody waits. */
export function thawForEnd(parts: EngineParts, container: Container): void {
  parts.cgroups.thaw(cgroupPathOf(parts, container.record)).catch((error) => {
    parts.log.warn({ container: container.id }, `a paused container was not resumed: ${messageOf(error)}`);
  });
  note(parts, container, "running");
}

/** A daemon that died between the freezer and its own notes: what the kernel says holds. */
export function agreeWithFreezer(parts: EngineParts, container: Container): void {
  const { status } = container.state;
  const frozen = parts.cgroups.frozen(cgroupPathOf(parts, container.record));
  if (frozen === (status === "paused")) return;
  if (frozen) container.health?.stop();
  container.state = { ...container.state, status: frozen ? "paused" : "running" };
  parts.registry.writeState(container);
  if (!frozen) container.health = HealthMonitor.begin(parts, container);
}

export function isRestarting({ id }: Container): SampanError {
  return new SampanError("conflict", `Container ${id} is restarting, wait until the container is running`);
}

function note(parts: EngineParts, container: Container, status: "paused" | "running"): void {
  container.health?.stop();
  const { health } = container.state;
  // dockerd's word for what nobody probes at present; the next probe decides.
  container.state = { ...container.state, status, health: health && { ...health, status: "unhealthy" } };
  parts.registry.writeState(container);
  if (status === "running") container.health = HealthMonitor.begin(parts, container);
  containerEvent(parts.events, container, status === "paused" ? "pause" : "unpause");
}
