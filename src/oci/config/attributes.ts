import {
  ioClasses,
  memoryPolicies,
  memoryPolicyFlags,
  schedulerFlags,
  schedulerPolicies,
} from "../../kernel/scheduling.ts";
import { fallback, integer, list, object, oneOf, text, wide } from "./shape.ts";

function namesOf<T extends object>(numbers: T): (keyof T & string)[] {
  return Object.keys(numbers) as (keyof T & string)[];
}

/** `process.scheduler`: "policy" must be there, the rest is 0. */
export const schedulerShape = object({
  policy: oneOf(namesOf(schedulerPolicies)),
  nice: fallback(integer, 0),
  priority: fallback(integer, 0),
  flags: list(oneOf(namesOf(schedulerFlags))),
  runtime: fallback(wide, 0n),
  deadline: fallback(wide, 0n),
  period: fallback(wide, 0n),
});

/** `process.ioPriority`. */
export const ioPriorityShape = object({ class: oneOf(namesOf(ioClasses)), priority: fallback(integer, 0) });

/** `process.execCPUAffinity`: lists of processors as in cpuset(7). */
export const affinityShape = object({ initial: fallback(text, ""), final: fallback(text, "") });

/** `linux.personality`. The specification has no flag as yet. */
export const personalityShape = object({ domain: oneOf(["LINUX", "LINUX32"]), flags: list(text) });

/** `linux.memoryPolicy` (config-linux.md, "Memory policy", since 1.3). */
export const memoryPolicyShape = object({
  mode: oneOf(namesOf(memoryPolicies)),
  nodes: fallback(text, ""),
  flags: list(oneOf(namesOf(memoryPolicyFlags))),
});

export type OciScheduler = ReturnType<typeof schedulerShape>;
export type OciMemoryPolicy = ReturnType<typeof memoryPolicyShape>;
