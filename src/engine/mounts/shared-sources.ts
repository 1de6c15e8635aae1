import { readFileSync, realpathSync } from "node:fs";
import { SampanError } from "../../errors/index.ts";
import type { Propagation } from "../../runtime/types.ts";

/** What the file system that a path lies in has to be, by the propagation that is asked for. */
const needed: Partial<Record<Propagation, { readonly tags: RegExp; readonly what: string }>> = {
  shared: { tags: /^shared:/, what: "a shared" },
  rshared: { tags: /^shared:/, what: "a shared" },
  slave: { tags: /^(?:shared|master):/, what: "a shared or slave" },
  rslave: { tags: /^(?:shared|master):/, what: "a shared or slave" },
};

/** Refuses a propagation that the machine's mount does not take part in, with dockerd's texts. */
export function checkPropagation(source: string, propagation: Propagation): void {
  const need = needed[propagation];
  if (need === undefined) return;
  const { point, tags } = mountOf(realpathSync(source));
  if (tags.some((tag) => need.tags.test(tag))) return;
  throw new SampanError("invalid", `path ${source} is mounted on ${point} but it is not ${need.what} mount`);
}

interface MountPoint {
  readonly point: string;
  /** "shared:X", "master:X" and the like (proc_pid_mountinfo(5)). */
  readonly tags: readonly string[];
}

/** The mount that a path is seen through: of several at one place the last. */
function mountOf(path: string): MountPoint {
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
