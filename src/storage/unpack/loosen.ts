import type { Slot } from "../../kernel/block.ts";
import type { Session } from "../../kernel/executor.ts";
import * as flags from "../../kernel/flags.ts";
import { Program } from "../../kernel/program.ts";
import type { DirectoryEntry } from "./directory-entries.ts";
import { pathBytes, strictly } from "./probe.ts";

// ioctl_iflags(2); the numbers say "long", the kernel reads and writes an int.
const FS_IOC_GETFLAGS = 0x80086601;
const FS_IOC_SETFLAGS = 0x40086602;
const FS_IMMUTABLE_FL = 0x10;
const FS_APPEND_FL = 0x20;

/**
 * Takes "immutable" and "append only" from a directory and the files in it, so that they can be removed. Only a
 * privileged container can have set them; what cannot be opened has none.
 */
export async function loosen(session: Session, directory: string, entries: readonly DirectoryEntry[]): Promise<void> {
  const inDirectory = entries.filter(({ type }) => type === "other").map(({ name }) => `${directory || "."}/${name}`);
  const names = [directory, ...inDirectory];
  const reading = new Program("read the flags of files that cannot be removed");
  const reads = names.map((name) => ({ name, ...addRead(reading, name) }));
  const results = await session.run(reading);
  const writing = new Program("make files removable");
  for (const { name, done, value } of reads) {
    const bits = results.value(done) < 0 ? 0 : results.bytes(value).readUInt32LE(0);
    if (bits & (FS_IMMUTABLE_FL | FS_APPEND_FL)) addWrite(writing, name, bits & ~(FS_IMMUTABLE_FL | FS_APPEND_FL));
  }
  if (writing.steps.length > 0) await session.run(writing);
}

function addOpen(program: Program, name: string, orElse: ReturnType<Program["label"]>): Slot {
  const how = strictly(program, flags.O_RDONLY | flags.O_NOFOLLOW | flags.O_NONBLOCK | flags.O_NOCTTY);
  return program.sys("openat2", [flags.AT_FDCWD, pathBytes(program, name), how, 24], {
    note: `open ${JSON.stringify(name)}`,
    tolerate: "all",
    orElse,
  });
}

function addRead(program: Program, name: string): { done: Slot; value: ReturnType<Program["buffer"]> } {
  const next = program.label();
  const value = program.buffer(8);
  const fd = addOpen(program, name, next);
  const done = program.sys("ioctl", [fd, FS_IOC_GETFLAGS, value], { note: "read its flags", tolerate: "all" });
  program.call("close", [fd], { note: "close it" });
  program.place(next);
  return { done, value };
}

function addWrite(program: Program, name: string, bits: number): void {
  const next = program.label();
  const fd = addOpen(program, name, next);
  program.call("ioctl", [fd, FS_IOC_SETFLAGS, program.words([bits], String(bits))], {
    note: "clear its flags",
    tolerate: "all",
  });
  program.call("close", [fd], { note: "close it" });
  program.place(next);
}
