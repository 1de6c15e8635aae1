import { named, type Slot } from "../kernel/block.ts";
import { AT_FDCWD, AT_REMOVEDIR, O_CLOEXEC, O_DIRECTORY, O_PATH, O_RDONLY, O_WRONLY } from "../kernel/flags.ts";
import type { Program } from "../kernel/program.ts";

const here = named(AT_FDCWD, "AT_FDCWD");
const forWriting = named(O_WRONLY | O_CLOEXEC, "O_WRONLY|O_CLOEXEC");

/** mkdir */
export function makeDirectory(p: Program, path: string, note: string): void {
  p.call("mkdirat", [here, p.text(path), 0o755], { note });
}

/** Writes values to one file of a cgroup: one write each, for the kernel takes one at a time. */
export function writeValues(p: Program, file: string, values: readonly { value: string; note: string }[]): void {
  const fd = p.sys("openat", [here, p.text(file), forWriting, 0], { note: `open ${baseName(file)}` });
  for (const { value, note } of values) p.call("write", [fd, p.text(value), Buffer.byteLength(value)], { note });
  p.call("close", [fd], { note: `close ${baseName(file)}` });
}

/**
 * The running thread moves itself: "0" is the writer. Through "tasks", because a write to cgroup.procs, or of a pid, takes a
 * lock that costs an RCU grace period, 10 ms and more (docs/decisions/cgroup-v1-entered-from-inside.md).
 */
export function moveSelf(p: Program, directory: string, note: string): void {
  writeValues(p, `${directory}/tasks`, [{ value: "0", note }]);
}

/** A descriptor of the directory itself, for clone3 and bpf. */
export function openDirectory(p: Program, path: string, note: string, options: { readable?: boolean } = {}): Slot {
  const flags = options.readable
    ? named(O_RDONLY | O_DIRECTORY | O_CLOEXEC, "O_RDONLY|O_DIRECTORY|O_CLOEXEC")
    : named(O_PATH | O_DIRECTORY | O_CLOEXEC, "O_PATH|O_DIRECTORY|O_CLOEXEC");
  return p.sys("openat", [here, p.text(path), flags, 0], { note });
}

/** rmdir; what holds processes or cgroups, or is gone, is left as it is. */
export function removeDirectory(p: Program, path: string, note: string): void {
  p.call("unlinkat", [here, p.text(path), named(AT_REMOVEDIR, "AT_REMOVEDIR")], {
    note,
    tolerate: ["ENOENT", "EBUSY"],
  });
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
