import { SampanError } from "../../errors/index.ts";
import type { ContainerUsers } from "../../runtime/types.ts";
import type { HostConfig } from "../config.ts";
import { sharedContainer } from "../container/modes.ts";
import type { EngineParts } from "../parts.ts";
import type { ContainerRecord } from "../records/record.ts";
import { resolveDevices } from "../request/devices.ts";
import { refuseUnable } from "./able.ts";
import { parseUsersMode } from "./mode.ts";
import type { RecordedUsers } from "./users.ts";

type Decided = Omit<ContainerRecord, "name" | "users">;

/** A container's record with the users it is to have, which nobody else gets until the answer is disposed of. */
export function takeUsers(
  { users: ids, registry }: EngineParts,
  decided: Decided,
): Disposable & { readonly record: Decided & Pick<ContainerRecord, "users"> } {
  const { hostConfig: host } = decided;
  const mode = parseUsersMode(host.UsernsMode);
  const shared = joined(host).map((reference) => registry.get(reference));
  const taken = ids.take(mode, shared[0]);
  const { users } = taken;
  try {
    if (users === undefined) return { record: decided, [Symbol.dispose]: () => {} };
    refuseShared(host);
    refuseImpossible(decided, users);
    for (const other of shared) refuseOtherUsers(users, other.record);
    return { record: { ...decided, users }, [Symbol.dispose]: () => taken[Symbol.dispose]() };
  } catch (error) {
    taken[Symbol.dispose]();
    throw error;
  }
}

/** The containers whose namespaces one uses. */
function joined({ NetworkMode, IpcMode, PidMode }: HostConfig): string[] {
  return [NetworkMode, IpcMode, PidMode].flatMap((mode) => sharedContainer(mode) ?? []);
}

const remedy = "use --userns=host";

/** What of the machine a container with users of its own cannot share, in dockerd's words. */
const unshared: readonly (readonly [(host: HostConfig) => boolean, string])[] = [
  [
    ({ Privileged }) => Privileged,
    "privileged mode is incompatible with user namespaces.  You must run the container in the host namespace when running privileged mode",
  ],
  [
    ({ NetworkMode }) => NetworkMode === "host",
    "cannot share the host's network namespace when user namespaces are enabled",
  ],
  [({ PidMode }) => PidMode === "host", "cannot share the host PID namespace when user namespaces are enabled"],
  [({ IpcMode }) => IpcMode === "host", "cannot share the host IPC namespace when user namespaces are enabled"],
  [
    ({ CgroupnsMode }) => CgroupnsMode === "host",
    "cannot share the host cgroup namespace when user namespaces are enabled",
  ],
];

function refuseShared(host: HostConfig): void {
  for (const [asked, text] of unshared) {
    if (asked(host)) throw new SampanError("invalid", `${text}: ${remedy}`);
  }
}

function refuseImpossible({ layers, hostConfig }: Decided, users: RecordedUsers): void {
  refuseUnable(users);
  if (layers.includes("host")) {
    const why = "its image is this machine itself, whose files are the machine's users'";
    throw new SampanError("unsupported", `Cannot give a container users of its own: ${why}: ${remedy}`);
  }
  const outside = resolveDevices(hostConfig).nodes.find(({ path }) => !path.startsWith("/dev/"));
  if (outside !== undefined) {
    const why = "outside of /dev, only the machine's root may make devices";
    throw new SampanError("unsupported", `Cannot make the device ${outside.path} in a user namespace: ${why}`);
  }
}

/** A namespace gives rights in it to the users it was made with, and to nobody else. */
function refuseOtherUsers(
  { container }: RecordedUsers,
  { id, users, hostConfig: { UsernsMode } }: Pick<ContainerRecord, "id" | "users" | "hostConfig">,
): void {
  if (container === id || (container !== undefined && container === users?.container)) return;
  const how = users === undefined ? remedy : `use --userns=container:${id.slice(0, 12)}`;
  const why = `its users are others (${UsernsMode || "the daemon's"})`;
  throw new SampanError("invalid", `cannot share namespaces of container ${id}: ${why}: ${how}`);
}

/** A container's users for its start, or for who enters it. "conflict" when those of another are to be joined that does not run. */
export function usersToJoin(
  { registry }: EngineParts,
  { users }: Pick<ContainerRecord, "users">,
): ContainerUsers | undefined {
  if (users?.container === undefined) return users && { mappings: users };
  const { id, running } = registry.get(users.container);
  if (running !== undefined) return { mappings: users, pid: running.pid };
  throw new SampanError("conflict", `cannot join user namespace of a non running container: ${id}`);
}
