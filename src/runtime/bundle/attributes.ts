import { named } from "../../kernel/block.ts";
import * as f from "../../kernel/flags.ts";
import { bitMask } from "../../kernel/number-list.ts";
import type { Program } from "../../kernel/program.ts";
import {
  encodeSchedAttr,
  IOPRIO_CLASS_SHIFT,
  IOPRIO_WHO_PROCESS,
  ioClasses,
  memoryPolicies,
  memoryPolicyFlags,
  type SchedulerAttributes,
} from "../../kernel/scheduling.ts";

/** How the kernel treats a process: its processor time, its I/O, its memory, and what it says the machine is. */
export interface ProcessAttributes {
  readonly scheduler?: SchedulerAttributes;
  readonly ioPriority?: { readonly class: keyof typeof ioClasses; readonly priority: number };
  readonly personality?: "LINUX" | "LINUX32";
  readonly memoryPolicy?: {
    readonly mode: keyof typeof memoryPolicies;
    readonly flags: readonly (keyof typeof memoryPolicyFlags)[];
    readonly nodes: ReadonlySet<number>;
  };
}

/** Steps that give them to the running process, which has its rights still: execve(2) keeps them all. */
export function takeAttributes(
  p: Program,
  { scheduler, ioPriority, personality, memoryPolicy }: ProcessAttributes,
): void {
  if (scheduler !== undefined) {
    const { policy } = scheduler;
    p.call("sched_setattr", [0, p.bytes(encodeSchedAttr(scheduler), `{ ${policy} }`), 0], {
      note: `be scheduled by ${policy}`,
    });
  }
  if (ioPriority !== undefined) {
    const { class: name, priority } = ioPriority;
    const value = named((ioClasses[name] << IOPRIO_CLASS_SHIFT) | priority, `${name}|${priority}`);
    p.call("ioprio_set", [IOPRIO_WHO_PROCESS, 0, value], { note: `have I/O of ${name}, priority ${priority}` });
  }
  if (personality !== undefined) {
    const domain = personality === "LINUX" ? f.PER_LINUX : f.PER_LINUX32;
    p.call("personality", [named(domain, `PER_${personality}`)], {
      note: `see a machine of the domain ${personality}`,
    });
  }
  if (memoryPolicy !== undefined) setMemoryPolicy(p, memoryPolicy);
}

function setMemoryPolicy(p: Program, policy: NonNullable<ProcessAttributes["memoryPolicy"]>): void {
  const { mode, flags, nodes } = policy;
  const value = flags.reduce((sum: number, name) => sum | memoryPolicyFlags[name], memoryPolicies[mode]);
  const shown = named(value, [mode, ...flags].join("|"));
  const mask = bitMask(nodes);
  // The kernel looks at one bit less than it is told
  const args = nodes.size === 0 ? [0, 0] : [p.bytes(mask, `[${[...nodes].join(", ")}]`), mask.length * 8 + 1];
  p.call("set_mempolicy", [shown, ...args], { note: `have memory by ${mode}` });
}

/** Lets the running process run on some processors only. */
export function runOnCpus(p: Program, cpus: ReadonlySet<number>, note: string): void {
  const mask = bitMask(cpus);
  p.call("sched_setaffinity", [0, mask.length, p.bytes(mask, `[${[...cpus].join(", ")}]`)], { note });
}
