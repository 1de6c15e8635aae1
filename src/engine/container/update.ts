import { messageOf, SampanError } from "../../errors/index.ts";
import type { HostConfig, HostConfigRequest } from "../config.ts";
import type { EngineParts } from "../parts.ts";
import { validateLimits } from "../request/limits.ts";
import { normaliseHostConfig } from "../request/normalise.ts";
import { validateRestart } from "../request/refusals.ts";
import { resourcesOf } from "../request/resources.ts";
import { changesOf, mergeUpdate, refuseFixed } from "../request/update.ts";
import { containerEvent } from "./events.ts";
import type { Container } from "./live.ts";
import { cgroupPathOf } from "./spec.ts";

/** What an update that makes no sense for any container answers, before one is looked for, as dockerd. */
export function checkUpdate(parts: EngineParts, request: HostConfigRequest): void {
  refuseFixed(request);
  const host = normaliseHostConfig(request);
  // Memory and swap together may be changed alone, where memory is limited already.
  validateLimits(host.Memory === 0 && host.MemorySwap > 0 ? { ...host, MemorySwap: 0 } : host, parts.machine);
  validateRestart(host);
}

/**
 * Changes limits and restart policy of a container; of one that runs, at once. All or nothing: a limit that the kernel
 * does not take leaves everything as it was. The caller holds the container's lock.
 */
export function updateContainer(parts: EngineParts, container: Container, request: HostConfigRequest): void {
  const { id, record, running } = container;
  const before = record.hostConfig;
  const after = mergeUpdate(id, before, request);
  if (running !== undefined) applyNow(parts, container, { before, after });
  parts.registry.writeRecord(container, { ...record, hostConfig: after });
  containerEvent(parts.events, container, "update");
}

function applyNow(
  parts: EngineParts,
  container: Container,
  { before, after }: { readonly before: HostConfig; readonly after: HostConfig },
): void {
  const path = cgroupPathOf(parts, container.record);
  try {
    parts.cgroups.update(path, changesOf(resourcesOf(before, []), resourcesOf(after, [])));
  } catch (error) {
    restore(parts, path, changesOf(resourcesOf(after, []), resourcesOf(before, [])));
    const kind = error instanceof SampanError ? error.kind : "internal";
    throw new SampanError(kind, `Cannot update container ${container.id}: ${messageOf(error)}`, { cause: error });
  }
}

/** The kernel takes one value after the other: some may be in place when one is refused. */
function restore(parts: EngineParts, path: string, old: ReturnType<typeof changesOf>): void {
  try {
    parts.cgroups.update(path, old);
  } catch (error) {
    parts.log.warn({ cgroup: path }, `limits were not put back after an update that failed: ${messageOf(error)}`);
  }
}
