import { readFileSync } from "node:fs";
import { words } from "./detect.ts";
import { ancestors, errnoOf, makeDirectoryNow, readText, writeText } from "./files.ts";
import type { CgroupPath, Hierarchy } from "./types.ts";

/**
 * Makes the v1 cgroup that containers are to be placed below. A new cpuset has no CPUs and no memory, and nothing can
 * enter it before it has: each level gets its parent's, and clone_children lets the kernel do so for containers.
 */
export function prepareV1(hierarchy: Hierarchy, parent: CgroupPath): void {
  const isCpuset = hierarchy.controllers.includes("cpuset");
  let above = hierarchy.mountPoint;
  for (const path of ancestors(parent)) {
    const directory = hierarchy.mountPoint + path;
    makeDirectoryNow(directory);
    if (isCpuset) copyCpuset(above, directory);
    above = directory;
  }
  if (isCpuset) writeText(`${above}/cgroup.clone_children`, "1");
}

function copyCpuset(from: string, to: string): void {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    if (readText(`${to}/${file}`)?.trim() === "") writeText(`${to}/${file}`, readFileSync(`${from}/${file}`, "latin1"));
  }
}

/** Why a controller could not be enabled, by its name. */
export type Refusals = Map<string, string>;

const v2Controllers = ["cpuset", "cpu", "io", "memory", "pids"];

/**
 * Makes the v2 cgroup that containers are to be placed below, and enables the controllers on the way down. Beginning
 * at `base`, our own cgroup where a part of the tree was delegated to us, else the root. `rare` are controllers besides the
 * usual ones.
 */
export function prepareV2(
  mountPoint: string,
  { base, parent, rare = [] }: { base: CgroupPath; parent: CgroupPath; rare?: readonly string[] },
): Refusals {
  const refusals: Refusals = new Map();
  const controllers = [...v2Controllers, ...rare];
  const start = base === "/" ? "" : base;
  enableControllers(mountPoint + start, controllers, refusals);
  for (const path of ancestors(parent).filter((path) => path.length > start.length)) {
    makeDirectoryNow(mountPoint + path);
    enableControllers(mountPoint + path, controllers, refusals);
  }
  return refusals;
}

function enableControllers(directory: string, controllers: readonly string[], refusals: Refusals): void {
  const offered = words(readText(`${directory}/cgroup.controllers`) ?? "");
  const enabled = words(readText(`${directory}/cgroup.subtree_control`) ?? "");
  const wanted = controllers.filter((name) => offered.includes(name) && !enabled.includes(name));
  if (wanted.length === 0) return;
  try {
    enable(directory, wanted);
  } catch (error) {
    // Processes in an inner cgroup (EBUSY): in a container, or a delegated scope, where we are among them.
    if (errnoOf(error) === "EBUSY") moveToLeaf(directory);
    for (const name of wanted) enableOne(directory, name, refusals);
  }
}

function enable(directory: string, names: readonly string[]): void {
  writeText(`${directory}/cgroup.subtree_control`, names.map((name) => `+${name}`).join(" "));
}

function enableOne(directory: string, name: string, refusals: Refusals): void {
  try {
    enable(directory, [name]);
  } catch (error) {
    refusals.set(name, `it cannot be enabled in ${directory}/cgroup.subtree_control (${errnoOf(error)})`);
  }
}

/**
 * A cgroup with processes cannot have controllers for its children (cgroups(7), "no internal processes"). If we are one
 * of them, it is ours to arrange: they move to a cgroup beside the containers', as in every container engine that runs
 * in a container.
 */
function moveToLeaf(directory: string): void {
  const members = words(readText(`${directory}/cgroup.procs`) ?? "");
  if (!members.includes(String(process.pid))) return;
  makeDirectoryNow(`${directory}/sampan-host`);
  for (const pid of members) {
    try {
      writeText(`${directory}/sampan-host/cgroup.procs`, pid);
    } catch (error) {
      if (errnoOf(error) !== "ESRCH") throw error;
    }
  }
}
