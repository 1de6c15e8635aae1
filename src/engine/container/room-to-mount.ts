import type { EngineParts } from "../parts.ts";
import type { ContainerRecord } from "../records/record.ts";
import { layerLimit } from "../request/storage-options.ts";

/**
 * Does what mounts the root file system of a container that may not run yet. One whose writable layer is full needs some room
 * for that: overlayfs makes a directory, and mounts read-only where it cannot.
 */
export function withRoomToMount<T>(
  { snapshots }: Pick<EngineParts, "snapshots">,
  { id, hostConfig }: Pick<ContainerRecord, "id" | "hostConfig">,
  mount: () => Promise<T>,
): Promise<T> {
  const limit = layerLimit(hostConfig);
  return limit === undefined ? mount() : snapshots.withRoom(id, limit, mount);
}
