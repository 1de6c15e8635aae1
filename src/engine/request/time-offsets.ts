import { existsSync } from "node:fs";
import { uptime } from "node:os";
import { SampanError } from "../../errors/index.ts";
import type { TimeOffsets } from "../../runtime/time-namespace.ts";
import type { HostConfig, TimeOffsetsConfig } from "../config.ts";

/** The kernel lets no clock of a namespace show more seconds: half of what its nanoseconds can count. */
const latest = 4_611_686_018;

const clocks = [
  ["Monotonic", "monotonic", () => Number(process.hrtime.bigint() / 1_000_000_000n)],
  ["Boottime", "boottime", uptime],
] as const;

/** A container's clocks, in the runtime's words; undefined: the machine's. */
export function timeOffsetsOf({ TimeOffsets: said }: Pick<HostConfig, "TimeOffsets">): TimeOffsets | undefined {
  const offsets = clocks.flatMap(([name, clock]) => {
    const offset = said?.[name];
    return offset === undefined ? [] : [[clock, { seconds: offset.Secs, nanoseconds: offset.Nanosecs }] as const];
  });
  return offsets.length === 0 ? undefined : Object.fromEntries(offsets);
}

/** Throws `invalid` for offsets that no clock can have now, and `unsupported` where the kernel has no time namespaces. */
export function checkTimeOffsets({ TimeOffsets: said }: Pick<HostConfig, "TimeOffsets">): void {
  if (said === undefined) return;
  for (const [name, , now] of clocks) checkOffset(said, name, now());
  if (existsSync("/proc/self/ns/time")) return;
  const why = "the kernel has no time namespaces; it takes Linux 5.6 with CONFIG_TIME_NS";
  throw new SampanError("unsupported", `Cannot honour TimeOffsets: ${why}`);
}

function checkOffset(said: TimeOffsetsConfig, name: keyof TimeOffsetsConfig, now: number): void {
  const { Secs, Nanosecs } = said[name] ?? { Secs: 0, Nanosecs: 0 };
  const invalid = (why: string) => new SampanError("invalid", `Cannot honour TimeOffsets.${name}: ${why}`);
  if (Nanosecs < 0 || Nanosecs > 999_999_999) throw invalid(`${Nanosecs} nanoseconds are not below a second`);
  if (now + Secs < 0) throw invalid(`by ${Secs} s the clock, now at ${Math.floor(now)} s, would be before 0`);
  if (now + Secs > latest) throw invalid(`by ${Secs} s the clock would be behind ${latest} s`);
}
