import { chmodSync, mkdirSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { storageError } from "../content/errors.ts";

const directories = ["dev", "etc", "proc", "sys"];
const files: readonly (readonly [name: string, mode: number])[] = [
  [".dockerenv", 0o755],
  ["etc/hostname", 0o644],
  ["etc/hosts", 0o644],
  ["etc/resolv.conf", 0o644],
];

/**
 * Makes the lowest directory of every container's overlay: what Sampan mounts over, where an image does not have it
 * itself, and what Docker's containers have beyond their image. Everything of the image lies above it. Without it each
 * start would write mount points into the container's own layer, and each removal would have to take them away again.
 */
export function makeBase(directory: string): void {
  try {
    for (const name of ["", ...directories]) make(join(directory, name), 0o755);
    for (const [name, mode] of files) {
      const path = join(directory, name);
      writeFileSync(path, "", { mode });
      chmodSync(path, mode); // whatever the umask
    }
    link(join(directory, "etc/mtab"), "/proc/mounts");
  } catch (error) {
    throw storageError(`make the base of all containers, ${directory}`, error);
  }
}

function make(path: string, mode: number): void {
  mkdirSync(path, { recursive: true, mode });
  chmodSync(path, mode);
}

function link(path: string, target: string): void {
  try {
    symlinkSync(target, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST" || readlinkSync(path) !== target) throw error;
  }
}
