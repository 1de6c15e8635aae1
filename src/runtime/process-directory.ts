import { named, type Slot } from "../kernel/block.ts";
import * as f from "../kernel/flags.ts";
import type { Program } from "../kernel/program.ts";

/** /proc/PID of a process that only the kernel knows as yet. */
export function openProcessDirectory(p: Program, pid: Slot): Slot {
  const open = named(f.O_PATH | f.O_DIRECTORY | f.O_CLOEXEC, "O_PATH|O_DIRECTORY|O_CLOEXEC");
  const proc = p.sys("openat", [f.AT_FDCWD, p.text("/proc"), open, 0], { note: "find /proc" });
  const { text } = p.decimal(pid, "write the process id in digits");
  const directory = p.sys("openat", [proc, text, open, 0], { note: "find the child in it" });
  p.call("close", [proc], { note: "it was found" });
  return directory;
}
