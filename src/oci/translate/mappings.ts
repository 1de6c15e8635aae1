import { SampanError } from "../../errors/index.ts";
import type { BundleNamespaces } from "../../runtime/bundle/types.ts";
import type { IdMappings, IdRange } from "../../runtime/user-namespace.ts";
import type { OciLinux, OciMapping } from "../config/linux.ts";

const highest = 0xffffffff;

/** `uidMappings` and `gidMappings` of `where`. Throws `invalid` for a range that is empty, or ends beyond the last id. */
export function mappingsOf(
  { uidMappings, gidMappings }: { uidMappings: readonly OciMapping[]; gidMappings: readonly OciMapping[] },
  where: string,
): IdMappings {
  return {
    users: uidMappings.map((mapping, index) => rangeOf(mapping, `${where}.uidMappings[${index}]`)),
    groups: gidMappings.map((mapping, index) => rangeOf(mapping, `${where}.gidMappings[${index}]`)),
  };
}

function rangeOf({ containerID, hostID, size }: OciMapping, field: string): IdRange {
  if (size <= 0) throw new SampanError("invalid", `${field}.size: ${size} is not greater than zero`);
  if (Math.max(containerID, hostID) + size > highest)
    throw new SampanError("invalid", `${field}.size: ${size} ids from there on are more than there are`);
  return { container: containerID, host: hostID, size };
}

/** The ids of the container's user namespace, whose root has to be somebody. */
export function containerMappingsOf(linux: OciLinux, { user }: BundleNamespaces): IdMappings {
  const mappings = mappingsOf(linux, "linux");
  const given = { uidMappings: mappings.users, gidMappings: mappings.groups };
  for (const [field, ranges] of Object.entries(given)) {
    if (user === "host" && ranges.length > 0)
      throw new SampanError("invalid", `linux.${field}: it needs a user namespace in linux.namespaces`);
    if (user === "new" && !ranges.some(({ container }) => container === 0))
      throw new SampanError("invalid", `linux.${field}: a new user namespace needs a mapping of 0, its root`);
  }
  return user === "new" && process.geteuid?.() !== 0 ? { ...mappings, withoutGroups: true } : mappings;
}
