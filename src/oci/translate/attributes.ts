import { SampanError } from "../../errors/index.ts";
import { parseNumberList } from "../../kernel/number-list.ts";
import type { ProcessAttributes } from "../../runtime/bundle/attributes.ts";
import type { OciMemoryPolicy, OciScheduler } from "../config/attributes.ts";
import type { OciLinux } from "../config/linux.ts";
import type { OciProcess } from "../config/process.ts";

type OfContainer = Pick<OciLinux, "personality" | "memoryPolicy">;
type OfProcess = Pick<OciProcess, "scheduler" | "ioPriority">;

/** What of `process` and `linux` is about how the kernel treats a process. Throws `invalid` by the field's name. */
export function attributesOf({ scheduler, ioPriority }: OfProcess, linux: OfContainer | undefined): ProcessAttributes {
  const { personality, memoryPolicy } = linux ?? {};
  if (personality?.flags.length)
    throw new SampanError(
      "unsupported",
      `linux.personality.flags: ${personality.flags[0]} is no flag of the specification`,
    );
  return {
    ...(scheduler && { scheduler: checkedScheduler(scheduler) }),
    ...(ioPriority && { ioPriority: checkedIoPriority(ioPriority) }),
    ...(personality && { personality: personality.domain }),
    ...(memoryPolicy && { memoryPolicy: memoryPolicyOf(memoryPolicy) }),
  };
}

/** config.md, "scheduler": what belongs to one policy only is refused with the others. */
function checkedScheduler(scheduler: OciScheduler): OciScheduler {
  const { policy, nice, priority, runtime, deadline, period } = scheduler;
  const wrong = (field: string, why: string) => new SampanError("invalid", `process.scheduler.${field}: ${why}`);
  if (nice < -20 || nice > 19) throw wrong("nice", `${nice} is not between -20 and 19`);
  if (priority !== 0 && policy !== "SCHED_FIFO" && policy !== "SCHED_RR")
    throw wrong("priority", `${policy} has none, only SCHED_FIFO and SCHED_RR have`);
  if (priority < 0 || priority > 99) throw wrong("priority", `${priority} is not between 1 and 99`);
  const times = { runtime, deadline, period };
  for (const [field, value] of Object.entries(times)) {
    if (value === 0n) continue;
    if (policy !== "SCHED_DEADLINE") throw wrong(field, `${policy} has none, only SCHED_DEADLINE has`);
    if (value < 0n || value > 0x7fffffffffffffffn) throw wrong(field, `${value} is no time in nanoseconds`);
  }
  return scheduler;
}

function checkedIoPriority(ioPriority: NonNullable<OciProcess["ioPriority"]>): NonNullable<OciProcess["ioPriority"]> {
  if (ioPriority.priority >= 0 && ioPriority.priority <= 7) return ioPriority;
  throw new SampanError("invalid", `process.ioPriority.priority: ${ioPriority.priority} is not between 0 and 7`);
}

function memoryPolicyOf({ mode, nodes, flags }: OciMemoryPolicy): NonNullable<ProcessAttributes["memoryPolicy"]> {
  return { mode, flags, nodes: nodes === "" ? new Set() : numbersOf(nodes, "linux.memoryPolicy.nodes") };
}

/** `process.execCPUAffinity`: where a process of exec runs before and after it is in the container's cgroup. */
export function affinityOf({ execCPUAffinity: affinity }: Pick<OciProcess, "execCPUAffinity">): {
  readonly initial?: ReadonlySet<number>;
  readonly final?: ReadonlySet<number>;
} {
  const field = "process.execCPUAffinity";
  return {
    ...(affinity?.initial && { initial: numbersOf(affinity.initial, `${field}.initial`) }),
    ...(affinity?.final && { final: numbersOf(affinity.final, `${field}.final`) }),
  };
}

function numbersOf(text: string, field: string): ReadonlySet<number> {
  const numbers = parseNumberList(text);
  if (numbers !== undefined) return numbers;
  throw new SampanError("invalid", `${field}: ${JSON.stringify(text)} is no list of numbers such as "0-3,7"`);
}
