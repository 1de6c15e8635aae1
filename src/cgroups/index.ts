import { accessSync, constants, existsSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { SampanError } from "../errors/index.ts";
import { type Available, absence } from "./available.ts";
import { type CgroupFacts, detectCgroups, isRare, words } from "./detect.ts";
import { errnoOf, makeDirectoryNow, readText } from "./files.ts";
import type { Machine } from "./machine.ts";
import { prepareV1, prepareV2, type Refusals } from "./prepare.ts";
import { checkedPath } from "./tree.ts";
import type { CgroupLayout, CgroupPath, Cgroups, Hierarchy } from "./types.ts";
import { CgroupsV1 } from "./v1.ts";
import { CgroupsV2 } from "./v2.ts";

export { rareControllersOf } from "./limits-rare.ts";
export type * from "./types.ts";

/** What `detectCgroups` wants to know, of this machine. */
export function readCgroupFacts(): CgroupFacts {
  const mountinfo = readFileSync("/proc/self/mountinfo", "utf8");
  const v2 = /^\S+ \S+ \S+ \S+ (\S+) .* - cgroup2 /m.exec(mountinfo)?.[1];
  return {
    mountinfo,
    selfCgroup: readText("/proc/self/cgroup") ?? "",
    v2Controllers: v2 === undefined ? "" : (readText(`${v2}/cgroup.controllers`) ?? ""),
  };
}

/**
 * The cgroups for one daemon's containers, below `/<name>` ("sampan" with the root's suffix) in every hierarchy; that
 * cgroup is made now. Where the machine lets us make none, containers run without, and every limit is refused with the
 * reason.
 */
export function openCgroups(options: { name: string; facts?: CgroupFacts }): Cgroups {
  const layout = detectCgroups(options.facts ?? readCgroupFacts());
  return layout.version === "v1" ? openV1(layout, options.name) : openV2(layout, options.name);
}

/**
 * The cgroup at `path` of every hierarchy, for one container that somebody else has placed there (the OCI spec's cgroupsPath).
 * With `make` it is made now where it is missing, with its parents, and `create` only writes its limits; without, it is
 * looked at as it is. `rare` are the controllers that it needs besides the usual ones. Beyond that as `openCgroups`.
 */
export function openCgroupsAt(path: CgroupPath, options: MakeOptions = { make: false }): Cgroups {
  const layout = detectCgroups(readCgroupFacts(), { rare: true });
  const rare = options.rare ?? [];
  const parent = posix.dirname(path);
  const reasons = new Map<string, string>();
  const usable = layout.hierarchies.filter((hierarchy) => {
    const unneeded = isRare(hierarchy) && !hierarchy.controllers.some((name) => rare.includes(name));
    const refusal = options.make && !unneeded ? attempt(() => makeAt(hierarchy, path, { reasons, rare })) : undefined;
    for (const controller of hierarchy.controllers) {
      if (refusal) reasons.set(controller, `cgroup ${path} cannot be made in ${hierarchy.mountPoint} (${refusal})`);
    }
    return refusal === undefined && existsSync(hierarchy.mountPoint + path);
  });
  const machine = {
    layout: { ...layout, hierarchies: usable },
    parent,
    available: availableAt(usable, path, reasons),
    prepare: () => {},
    made: true,
  };
  return layout.version === "v1" ? new CgroupsV1(machine) : new CgroupsV2(machine);
}

interface MakeOptions {
  readonly make: boolean;
  readonly rare?: readonly string[];
}

function makeAt(
  hierarchy: Hierarchy,
  path: CgroupPath,
  { reasons, rare }: { reasons: Map<string, string>; rare: readonly string[] },
): void {
  if (hierarchy.type === "cgroup") {
    prepareV1(hierarchy, path);
    return;
  }
  const refusals = prepareV2(hierarchy.mountPoint, { base: "/", parent: posix.dirname(path), rare });
  for (const [controller, reason] of refusals) reasons.set(controller, reason);
  makeDirectoryNow(hierarchy.mountPoint + path);
}

/** What is in the cgroup's own directory can be limited. */
function availableAt(
  hierarchies: readonly Hierarchy[],
  path: CgroupPath,
  reasons: ReadonlyMap<string, string>,
): Available {
  const files = new Set(hierarchies.flatMap((hierarchy) => [...filesIn(hierarchy, path)]));
  const v1 = new Set(hierarchies.flatMap(({ type, controllers }) => (type === "cgroup" ? controllers : [])));
  const v2 = hierarchies.find(({ type }) => type === "cgroup2");
  const enabled = new Set(v2 === undefined ? [] : words(readText(`${v2.mountPoint}${path}/cgroup.controllers`) ?? ""));
  return {
    missing: (controller) => {
      if (v1.has(controller) || enabled.has(controller) || (v2 !== undefined && controller === "cgroup"))
        return undefined;
      return absence(controller, v2 === undefined ? "v1" : "v2", reasons.get(controller));
    },
    has: (_, file) => files.has(file),
  };
}

function openV1(layout: CgroupLayout, name: string): Cgroups {
  const parent = checkedPath(name);
  const reasons = new Map<string, string>();
  const usable = layout.hierarchies.filter((hierarchy) => {
    const refusal = attempt(() => prepareV1(hierarchy, parent));
    for (const controller of hierarchy.controllers) {
      if (refusal) reasons.set(controller, `no cgroup can be made in ${hierarchy.mountPoint} (${refusal})`);
    }
    return refusal === undefined;
  });
  const files = new Map(
    usable.flatMap((hierarchy) => {
      const names = filesIn(hierarchy, parent);
      return hierarchy.controllers.map((controller) => [controller, names] as const);
    }),
  );
  const available: Available = {
    missing: (controller) => (files.has(controller) ? undefined : absence(controller, "v1", reasons.get(controller))),
    has: (controller, file) => files.get(controller)?.has(file) ?? false,
  };
  const prepare = (other: CgroupPath) => {
    for (const hierarchy of usable) orThrow(other, () => prepareV1(hierarchy, other));
  };
  return new CgroupsV1({ layout: { ...layout, hierarchies: usable }, parent, available, prepare });
}

function openV2(layout: CgroupLayout, name: string): Cgroups {
  const [hierarchy] = layout.hierarchies;
  const base = hierarchy && placeForUs(hierarchy, layout.own);
  if (!hierarchy || base === undefined) return new CgroupsV2(withoutCgroups(layout, name));
  const parent = checkedPath(`${base}/${name}`);
  let refusals: Refusals = new Map();
  const failure = attempt(() => {
    refusals = prepareV2(hierarchy.mountPoint, { base, parent });
  });
  if (failure) return new CgroupsV2(withoutCgroups(layout, name, failure));
  const enabled = new Set(words(readText(`${hierarchy.mountPoint}${parent}/cgroup.subtree_control`) ?? ""));
  const files = filesIn(hierarchy, parent);
  const available: Available = {
    missing: (controller) =>
      controller === "cgroup" || enabled.has(controller)
        ? undefined
        : absence(controller, "v2", refusals.get(controller)),
    has: (_, file) => files.has(file),
  };
  const prepare = (other: CgroupPath) => {
    const start = other.startsWith(`${base}/`) ? base : "/";
    orThrow(other, () => prepareV2(hierarchy.mountPoint, { base: start, parent: other }));
  };
  return new CgroupsV2({ layout, parent, available, prepare });
}

/** The root, or our own cgroup where that was delegated to us (cgroups(7), "delegation"); undefined where we may do nothing. */
function placeForUs({ mountPoint, readOnly }: Hierarchy, own: CgroupPath): CgroupPath | undefined {
  if (readOnly) return undefined;
  return ["/", own].find((path) => {
    const directory = `${mountPoint}${path === "/" ? "" : path}`;
    return [directory, `${directory}/cgroup.procs`, `${directory}/cgroup.subtree_control`].every(isWritable);
  });
}

function isWritable(path: string): boolean {
  return attempt(() => accessSync(path, constants.W_OK)) === undefined;
}

function withoutCgroups(layout: CgroupLayout, name: string, failure?: string): Machine {
  const reason = failure
    ? `no cgroup can be made (${failure})`
    : "no part of the cgroup tree is ours to write: run as root, or with systemd-run --user --scope -p Delegate=yes";
  return {
    layout: { ...layout, mode: "none", hierarchies: [] },
    parent: checkedPath(name),
    available: { missing: () => reason, has: () => false },
    prepare: () => {},
  };
}

function filesIn(hierarchy: Hierarchy, parent: CgroupPath): ReadonlySet<string> {
  return new Set(readdirSync(hierarchy.mountPoint + parent));
}

/** The errno of what `action` threw. */
function attempt(action: () => void): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return errnoOf(error);
  }
}

function orThrow(path: CgroupPath, action: () => void): void {
  const errno = attempt(action);
  if (errno !== undefined) throw new SampanError("invalid", `Cannot make cgroup ${path} for containers: ${errno}`);
}
