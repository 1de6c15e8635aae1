import { named, Slot } from "../../kernel/block.ts";
import * as f from "../../kernel/flags.ts";
import type { Program } from "../../kernel/program.ts";
import type { Inside } from "../inside.ts";
import type { FileSystem } from "./types.ts";

/** Of a tmpfs in a place where there was nothing: the kernel's own default. */
const defaultMode = 0o1777;
const STATX_MODE = 2;
const offsetOfMode = 28; // struct statx

/** Whether config.json leaves the rights of a file system's root open. */
export function lacksMode({ type, options }: FileSystem): boolean {
  return type === "tmpfs" && !options.some(([name]) => name === "mode");
}

/**
 * Looks up the rights that a tmpfs takes over from the directory that it covers, as runc and crun have it, before that
 * directory is made where it is missing. They go to `giveMode`.
 */
export function findMode(p: Program, inside: Inside, target: string): Slot {
  const mode = new Slot(p.words([defaultMode], "the usual rights"));
  const absent = p.label();
  const covered = inside.open(target, f.O_PATH | f.O_DIRECTORY, {
    note: `see whether there is a directory ${target}`,
    missing: absent,
  });
  const stat = p.buffer(256, "struct statx");
  p.call("statx", [covered, p.text(""), named(f.AT_EMPTY_PATH, "AT_EMPTY_PATH"), STATX_MODE, stat], {
    note: "see its rights",
  });
  // What follows these 16 bits in the structure the kernel does not look at: a mode has no more
  p.copy(new Slot(stat.at(offsetOfMode)), mode.address, "keep them");
  p.place(absent);
  return mode;
}

/** Gives a detached tmpfs its rights. */
export function giveMode(p: Program, tmpfs: Slot, mode: Slot): void {
  p.call("fchmodat", [tmpfs, p.text("."), mode], { note: "with the rights of the directory that it covers" });
}
