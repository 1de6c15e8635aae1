import { affinityShape, ioPriorityShape, schedulerShape } from "./attributes.ts";
import { fallback, flag, id, integer, list, object, optional, text, wide } from "./shape.ts";

const set = optional(list(text));

/** `process.capabilities`: a set that is left out is empty. */
const capabilities = object({
  bounding: set,
  effective: set,
  inheritable: set,
  permitted: set,
  ambient: set,
});

const user = object({
  uid: fallback(id, 0),
  gid: fallback(id, 0),
  umask: optional(integer),
  additionalGids: list(id),
});

const rlimit = object({ type: text, soft: wide, hard: wide });

/** `process` (config.md, "Process"), and the document that `exec --process` takes. */
export const processShape = object({
  terminal: fallback(flag, false),
  consoleSize: optional(object({ height: integer, width: integer })),
  user: fallback(user, { uid: 0, gid: 0, umask: undefined, additionalGids: [] }),
  args: list(text),
  env: list(text),
  cwd: text,
  capabilities: optional(capabilities),
  rlimits: list(rlimit),
  noNewPrivileges: fallback(flag, false),
  apparmorProfile: optional(text),
  oomScoreAdj: optional(integer),
  scheduler: optional(schedulerShape),
  selinuxLabel: optional(text),
  ioPriority: optional(ioPriorityShape),
  execCPUAffinity: optional(affinityShape),
});

export type OciProcess = ReturnType<typeof processShape>;
