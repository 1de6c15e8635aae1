import { memoryPolicyShape, personalityShape } from "./attributes.ts";
import { resourcesShape } from "./resources.ts";
import { seccompShape } from "./seccomp.ts";
import { fallback, id, integer, list, object, oneOf, optional, refused, table, text } from "./shape.ts";

const namespace = object({
  type: oneOf(["pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time"]),
  path: optional(text),
});

const device = object({
  path: text,
  type: oneOf(["c", "b", "u", "p"]),
  major: fallback(integer, 0),
  minor: fallback(integer, 0),
  fileMode: optional(integer),
  uid: optional(id),
  gid: optional(id),
});

const offset = object({ secs: fallback(integer, 0), nanosecs: fallback(integer, 0) });

/** `uidMappings` and `gidMappings`, of the container or of one mount. */
export const mappingShape = object({ containerID: id, hostID: id, size: integer });

/** `linux` (config-linux.md). */
export const linuxShape = object({
  namespaces: list(namespace),
  uidMappings: list(mappingShape),
  gidMappings: list(mappingShape),
  timeOffsets: optional(object({ monotonic: optional(offset), boottime: optional(offset) })),
  devices: list(device),
  netDevices: refused("network devices are not moved yet"),
  cgroupsPath: optional(text),
  resources: optional(resourcesShape),
  intelRdt: refused("Intel RDT is not configured by this runtime"),
  memoryPolicy: optional(memoryPolicyShape),
  sysctl: table(text),
  seccomp: optional(seccompShape),
  rootfsPropagation: optional(
    oneOf(["", "shared", "slave", "private", "unbindable", "rshared", "rslave", "rprivate", "runbindable"]),
  ),
  maskedPaths: list(text),
  readonlyPaths: list(text),
  mountLabel: optional(text),
  personality: optional(personalityShape),
});

export type OciLinux = ReturnType<typeof linuxShape>;
export type OciMapping = ReturnType<typeof mappingShape>;
