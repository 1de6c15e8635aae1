import { linuxShape, mappingShape } from "./linux.ts";
import { processShape } from "./process.ts";
import { fallback, flag, integer, list, object, optional, table, text } from "./shape.ts";

const mount = object({
  destination: text,
  type: optional(text),
  source: optional(text),
  options: list(text),
  uidMappings: list(mappingShape),
  gidMappings: list(mappingShape),
});

const hook = object({ path: text, args: list(text), env: list(text), timeout: optional(integer) });
const hooks = list(hook);

/** The moments at which hooks run (config.md, "POSIX-platform Hooks"), in their order. */
export const hookNames = [
  "prestart",
  "createRuntime",
  "createContainer",
  "startContainer",
  "poststart",
  "poststop",
] as const;

/**
 * config.json of the OCI runtime specification, version 1.x, as far as it is about Linux. What is known and cannot be
 * done is refused by the field's name.
 */
export const configShape = object({
  ociVersion: text,
  root: optional(object({ path: text, readonly: fallback(flag, false) })),
  mounts: list(mount),
  process: optional(processShape),
  hostname: fallback(text, ""),
  domainname: fallback(text, ""),
  hooks: optional(
    object({
      prestart: hooks,
      createRuntime: hooks,
      createContainer: hooks,
      startContainer: hooks,
      poststart: hooks,
      poststop: hooks,
    }),
  ),
  annotations: table(text),
  linux: optional(linuxShape),
});

export type OciConfig = ReturnType<typeof configShape>;
export type OciMount = OciConfig["mounts"][number];
export type OciHook = ReturnType<typeof hook>;
export type HookName = (typeof hookNames)[number];
