import type { Ref, Slot } from "../../kernel/block.ts";
import * as flags from "../../kernel/flags.ts";
import type { Program } from "../../kernel/program.ts";
import { pathBytes, strictly } from "./probe.ts";

/** So many directories are read by one program. */
export const DIRECTORIES = 16;
/** Bytes of names read from each: some 250 names. All of it is transferred, so more would cost the many small ones. */
export const NAMES = 8 * 1024;

/** A directory whose names are asked for. */
export interface Reading {
  readonly name: string;
  /** Negative for what is no directory. */
  readonly fd: Slot;
  /** Bytes of names; 0 where it is no directory. */
  readonly length: Slot;
  /** For `directoryEntries`. */
  readonly bytes: Ref;
}

export interface ReadingOptions {
  /** It may have gone. */
  readonly gone?: boolean;
  /** Where an earlier reading ended: `positionAfter`. */
  readonly from?: bigint;
}

/**
 * Steps that read the first names of directory `name`, which is relative to the current one. Links are not followed;
 * a mount on the way is an error.
 */
export function addReading(program: Program, name: string, options: ReadingOptions = {}): Reading {
  const next = program.label();
  const how = strictly(program, flags.O_RDONLY | flags.O_DIRECTORY | flags.O_NOFOLLOW);
  const fd = program.sys("openat2", [flags.AT_FDCWD, pathBytes(program, name), how, 24], {
    note: `open ${JSON.stringify(name)}`,
    tolerate: options.gone ? ["ENOTDIR", "ELOOP", "ENOENT"] : ["ENOTDIR", "ELOOP"],
    orElse: next,
  });
  if (options.from) {
    program.call("lseek", [fd, options.from, flags.SEEK_SET], { note: "go on where the last reading ended" });
  }
  const bytes = program.buffer(NAMES);
  const length = program.sys("getdents64", [fd, bytes, NAMES], { note: "read its names" });
  program.call("close", [fd], { note: "close it" });
  program.place(next);
  return { name, fd, length, bytes };
}
