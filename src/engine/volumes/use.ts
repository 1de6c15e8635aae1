import type { EngineParts } from "../parts.ts";
import type { ContainerRecord } from "../records/record.ts";

type User = Pick<ContainerRecord, "id" | "mounts">;

/** The volumes that a container has. */
export function volumeNames({ mounts }: Pick<ContainerRecord, "mounts">): string[] {
  return mounts.flatMap((mount) => (mount.type === "volume" ? [mount.name] : []));
}

/** Mounts those of a container's volumes that are file systems of their own. Nothing to wait for when there is none. */
export function enterVolumes(parts: Pick<EngineParts, "volumes">, user: User): Promise<void> | undefined {
  const special = withOptions(parts, user);
  if (special.length === 0) return undefined;
  return (async () => {
    try {
      for (const volume of special) await parts.volumes.mounts.enter(volume, user.id);
    } catch (error) {
      await leaveVolumes(parts, user);
      throw error;
    }
  })();
}

/** The container does not run any more. */
export async function leaveVolumes(parts: Pick<EngineParts, "volumes">, user: User): Promise<void> {
  for (const { name } of withOptions(parts, user)) await parts.volumes.mounts.leave(name, user.id);
}

/** Tells that a container's volumes are in its mount namespace, or no more. */
export function volumeEvents({ events }: Pick<EngineParts, "events">, user: User, action: "mount" | "unmount"): void {
  for (const mount of user.mounts) {
    if (mount.type !== "volume") continue;
    const common = { container: user.id, driver: "local" };
    const { destination, readOnly } = mount;
    const where = { destination, propagation: "", "read/write": String(!readOnly) };
    events.emit("volume", action, mount.name, action === "mount" ? { ...common, ...where } : common);
  }
}

/** After the daemon's start: what runs keeps its volumes, what nobody uses is unmounted, what was being removed goes. */
export async function recoverVolumes({ volumes, registry }: Pick<EngineParts, "volumes" | "registry">): Promise<void> {
  volumes.settle(new Set([...registry.all()].flatMap(({ record }) => volumeNames(record))));
  for (const { isRunning, record } of registry.all()) {
    if (!isRunning) continue;
    for (const { name } of withOptions({ volumes }, record)) volumes.mounts.found(name, record.id);
  }
  const special = volumes.list().filter(({ options }) => options.device);
  await volumes.mounts.sweep(special.map(({ name }) => name));
  await volumes.sweep();
}

function withOptions({ volumes }: Pick<EngineParts, "volumes">, { mounts }: User) {
  const special = [];
  for (const mount of mounts) {
    const volume = mount.type === "volume" ? volumes.find(mount.name) : undefined;
    if (volume?.options.device) special.push(volume);
  }
  return special;
}
