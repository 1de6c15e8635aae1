import { unholdAddresses } from "../networks/static-addresses.ts";
import type { EngineParts } from "../parts.ts";
import { layerLimit } from "../request/storage-options.ts";
import { leaveVolumes } from "../volumes/use.ts";
import { containerEvent } from "./events.ts";
import type { Container } from "./live.ts";
import { holdLogs } from "./logs.ts";
import { cgroupPathOf } from "./spec.ts";

/**
 * Removes a container that does not run; the caller holds its lock. The record goes first: what a crash leaves of the
 * files belongs to nobody then, and the next daemon sweeps it.
 */
export async function removeContainer(
  parts: EngineParts,
  container: Container,
  options: { readonly volumes: boolean },
): Promise<void> {
  const { registry, discards, images, events } = parts;
  const sent = parts.shipping.finished(container.id);
  if (sent !== undefined) await sent;
  if (container.logReaders.size > 0) await holdLogs(container);
  registry.delete(container);
  unholdAddresses(parts.networking, container.record.endpoints);
  parts.egress.forget(container.id);
  container.removed = true;
  container.pendingStart?.cancel();
  container.cancelAttaches();
  const limited = layerLimit(container.record.hostConfig) !== undefined;
  discards.discard(container.id, container.files, { starts: container.state.starts, limited });
  try {
    // The exit did not wait for it; who removes finds nothing of the container mounted, as with dockerd.
    await leaveVolumes(parts, container.record);
    await images.collect((image) => registry.usersOf(image));
    if (options.volumes) await removeAnonymous(parts, container);
  } catch (error) {
    parts.log.error({ error, container: container.id }, "what only a removed container used is left");
  }
  leaveCgroupParent(parts, container);
  containerEvent(events, container, "destroy");
  container.tellRemoval();
}

/** Volumes nobody gave a name, unless another container uses them by `--volumes-from`. */
async function removeAnonymous({ registry, volumes, events }: EngineParts, { record }: Container): Promise<void> {
  const mine = record.mounts.flatMap((mount) => (mount.type === "volume" && mount.anonymous ? [mount.name] : []));
  if (mine.length === 0) return;
  const used = new Set<string>();
  for (const other of registry.all()) {
    for (const mount of other.record.mounts) if (mount.type === "volume") used.add(mount.name);
  }
  for (const name of mine) {
    if (used.has(name) || volumes.isPinned(name) || volumes.find(name) === undefined) continue;
    await volumes.remove(name);
    events.emit("volume", "destroy", name, { driver: "local" });
  }
}

/** `--cgroup-parent`: nobody waits for it. */
function leaveCgroupParent(parts: EngineParts, { id, record }: Container): void {
  if (record.hostConfig.CgroupParent === "") return;
  parts.cgroups.leaveParent(cgroupPathOf(parts, record)).catch((error) => {
    parts.log.warn({ error, container: id }, "the cgroup parent of a container that is gone is left");
  });
}
