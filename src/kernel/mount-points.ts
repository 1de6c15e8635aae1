import { readFileSync } from "node:fs";

/** A mount of this process's namespace. */
export interface MountPoint {
  readonly point: string;
  /** "shared:X", "master:X" and the like (proc_pid_mountinfo(5)). */
  readonly tags: readonly string[];
}

/** The mount that a path is seen through: of several at one place the last. */
export function mountOf(path: string): MountPoint {
  const all = mountPoints().filter(({ point }) => isWithin(path, point));
  const longest = Math.max(...all.map(({ point }) => point.length));
  return all.findLast(({ point }) => point.length === longest) ?? { point: "/", tags: [] };
}

function isWithin(path: string, point: string): boolean {
  return path === point || path.startsWith(point === "/" ? "/" : `${point}/`);
}

/** The mounts that this process sees, in the order in which they were made (proc_pid_mountinfo(5)). */
export function mountPoints(): MountPoint[] {
  const plain = (field = "") => field.replace(/\\(\d{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8)));
  const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n").filter(Boolean);
  return lines.map((line) => {
    const fields = line.split(" ");
    return { point: plain(fields[4]), tags: fields.slice(6, fields.indexOf("-")) };
  });
}
