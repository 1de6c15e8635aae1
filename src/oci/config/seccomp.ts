import { actionNames } from "../../kernel/seccomp/actions.ts";
import { filterFlagNames, operators } from "../../kernel/seccomp/profile.ts";
import { fallback, integer, list, object, oneOf, optional, refused, text, wide } from "./shape.ts";

const action = oneOf(actionNames);

const argument = object({
  index: integer,
  value: fallback(wide, 0n),
  valueTwo: fallback(wide, 0n),
  op: oneOf(operators),
});

const rule = object({ names: list(text), action, errnoRet: optional(integer), args: list(argument) });

/** `linux.seccomp` (config-linux.md, "Seccomp"). */
export const seccompShape = object({
  defaultAction: action,
  defaultErrnoRet: optional(integer),
  architectures: list(text),
  flags: optional(list(oneOf(filterFlagNames))),
  listenerPath: refused("a listener of seccomp notifications is not served yet"),
  listenerMetadata: refused("a listener of seccomp notifications is not served yet"),
  syscalls: list(rule),
});

export type OciSeccomp = ReturnType<typeof seccompShape>;
