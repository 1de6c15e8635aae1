import { readdirSync, rmdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { SampanError } from "../errors/index.ts";
import { errnoOf, readText } from "./files.ts";
import type { CgroupPath, Hierarchy } from "./types.ts";

/** How long we wait for processes that are just ending, or freezing. */
const PATIENCE_MS = 2000;

/** Calls `done` with growing pauses until it is true; false when two seconds have gone by. */
export async function waitFor(done: () => boolean): Promise<boolean> {
  const deadline = performance.now() + PATIENCE_MS;
  for (let pause = 1; ; pause = Math.min(pause * 2, 50)) {
    if (done()) return true;
    if (performance.now() > deadline) return false;
    await sleep(pause);
  }
}

/** Names of the cgroups right below `directory`. */
export function childrenOf(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENODEV") return [];
    throw error;
  }
}

/** Processes of the cgroup and of those below it. */
export function pidsBelow(directory: string): number[] {
  const own = (readText(`${directory}/cgroup.procs`) ?? "").split("\n").filter((line) => line !== "");
  return [...own.map(Number), ...childrenOf(directory).flatMap((name) => pidsBelow(`${directory}/${name}`))];
}

/**
 * Removes a cgroup and what is below it, deepest first. The kernel refuses where a process is: false then. A cgroup has
 * no files of its own, so nothing else can be lost by this.
 */
export function removeTree(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT") return true;
    if (errno !== "EBUSY" && errno !== "ENOTEMPTY") {
      throw new SampanError("internal", `Cannot remove cgroup ${directory}: ${errno}`, { cause: error });
    }
  }
  const children = childrenOf(directory);
  if (children.length === 0) return false;
  const removed = children.map((name) => removeTree(`${directory}/${name}`));
  return removed.every(Boolean) && removeTree(directory);
}

/** The directories of a cgroup: one in every hierarchy. */
export function directoriesOf(hierarchies: readonly Hierarchy[], path: CgroupPath): string[] {
  return hierarchies.map(({ mountPoint }) => mountPoint + path);
}

/** See `Cgroups.removeNow`. */
export async function removeNow(hierarchies: readonly Hierarchy[], path: CgroupPath): Promise<void> {
  let left = directoriesOf(hierarchies, path);
  const gone = await waitFor(() => {
    left = left.filter((directory) => !removeTree(directory));
    return left.length === 0;
  });
  if (gone) return;
  const pids = [...new Set(left.flatMap(pidsBelow))].join(", ");
  throw new SampanError("conflict", `Cannot remove cgroup ${left.join(", ")}: processes ${pids} live in it`);
}

/** See `Cgroups.sweep`. A container's cgroup in which only some hierarchies are left goes as well. */
export function sweep(
  hierarchies: readonly Hierarchy[],
  parent: CgroupPath,
  keep: ReadonlySet<CgroupPath>,
): CgroupPath[] {
  const names = new Set(directoriesOf(hierarchies, parent).flatMap(childrenOf));
  const paths = [...names].map((name) => `${parent}/${name}`).filter((path) => !keep.has(path));
  return paths.filter((path) => directoriesOf(hierarchies, path).map(removeTree).every(Boolean));
}

/** A path as the user gave it. ".." would lead out of where we may place containers. */
export function checkedPath(path: string): CgroupPath {
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  if (names.length === 0 || names.includes("..") || path.includes("\0") || path.includes("\n")) {
    throw new SampanError(
      "invalid",
      `Cannot use cgroup parent ${JSON.stringify(path)}: it must be a path without ".."`,
    );
  }
  return `/${names.join("/")}`;
}
