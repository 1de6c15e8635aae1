import { named } from "../kernel/block.ts";
import * as f from "../kernel/flags.ts";
import type { Program } from "../kernel/program.ts";

/** What a time namespace's clocks show besides the machine's (time_namespaces(7), Linux 5.6). */
export interface TimeOffset {
  /** May be negative: the clock must not be before 0 then. */
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** The clocks that can be moved. */
export type TimeOffsets = Readonly<Partial<Record<"monotonic" | "boottime", TimeOffset>>>;

/**
 * Steps that make a time namespace for the children of the running process, which itself stays outside: clocks can be
 * set until the first process is in it, and clone3(2) would put it there at once.
 */
export function makeTimeNamespace(p: Program, offsets: TimeOffsets): void {
  p.call("unshare", [named(f.CLONE_NEWTIME, "CLONE_NEWTIME")], { note: "make a time namespace for its child" });
  const clocks = Object.entries(offsets);
  if (clocks.length === 0) return;
  const text = clocks.map(([clock, { seconds, nanoseconds }]) => `${clock} ${seconds} ${nanoseconds}\n`).join("");
  const file = p.sys(
    "openat",
    [f.AT_FDCWD, p.text("/proc/self/timens_offsets"), named(f.O_WRONLY | f.O_CLOEXEC, "O_WRONLY|O_CLOEXEC"), 0],
    { note: "open the offsets of its clocks" },
  );
  const shown = text.trim().replace("\n", ", ");
  p.call("write", [file, p.text(text), text.length], { note: `set them to ${shown}, where no clock may be before 0` });
  p.call("close", [file], { note: "the clocks are set" });
}
