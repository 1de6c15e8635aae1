import { named } from "../../kernel/block.ts";
import * as f from "../../kernel/flags.ts";
import type { Program } from "../../kernel/program.ts";

/** What a security module is told of the program that the process executes next. */
export interface Label {
  /** Below the machine's /proc/self/attr. */
  readonly file: string;
  readonly text: string;
  /** An infinitive, for the reader of a program and for errors. */
  readonly note: string;
}

/**
 * Has the process's next execve(2) change its label (apparmor_parser(8), selinux(8)). Through the machine's /proc, which must be at
 * its place still: what is at /proc in a container may be anything (CVE-2025-52881).
 */
export function takeLabels(p: Program, labels: readonly Label[]): void {
  for (const { file, text, note } of labels) {
    const flags = named(f.O_WRONLY | f.O_CLOEXEC, "O_WRONLY|O_CLOEXEC");
    const path = p.text(`/proc/self/attr/${file}`);
    const opened = p.sys("openat", [f.AT_FDCWD, path, flags, 0], { note: "open what its security module is told by" });
    p.call("write", [opened, p.text(text), Buffer.byteLength(text)], { note, full: true });
    p.call("close", [opened], { note: "that is said" });
  }
}
