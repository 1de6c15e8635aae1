import { actionNames } from "../../kernel/seccomp/actions.ts";
import { type FilterFlagName, filterFlagNames, operators } from "../../kernel/seccomp/profile.ts";
import { fallback, integer, list, object, oneOf, optional, text, wide } from "./shape.ts";

/** What only makes sense with a listener. */
export const waitKillable = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV";
export const seccompFlagNames: readonly (FilterFlagName | typeof waitKillable)[] = [...filterFlagNames, waitKillable];

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
  flags: optional(list(oneOf(seccompFlagNames))),
  listenerPath: fallback(text, ""),
  listenerMetadata: fallback(text, ""),
  syscalls: list(rule),
});

export type OciSeccomp = ReturnType<typeof seccompShape>;
