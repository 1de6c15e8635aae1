import type { CgroupLayout, CgroupPath, Hierarchy } from "./types.ts";

/** The texts that `detectCgroups` judges by; tests give their own. */
export interface CgroupFacts {
  /** /proc/self/mountinfo */
  readonly mountinfo: string;
  /** /proc/self/cgroup */
  readonly selfCgroup: string;
  /** cgroup.controllers of the v2 hierarchy's root; "" where there is none. */
  readonly v2Controllers: string;
}

/** Controllers that a container is placed in only when something is asked of them: each costs every other container time. */
export const rareControllers: readonly string[] = ["hugetlb", "net_cls", "net_prio", "rdma"];

/** v1 controllers that containers are placed in; the others (perf_event) limit nothing we offer. */
const v1Controllers = ["cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids"];

/**
 * Which hierarchies the machine has: v2 when its controllers are there, v1 when any of the controllers that matter is
 * mounted as v1 (a controller can be in one version only). With `rare`, v1's hierarchies of rare controllers are among them.
 * Pure; see `readCgroupFacts`.
 */
export function detectCgroups(facts: CgroupFacts, options: { rare: boolean } = { rare: false }): CgroupLayout {
  const mounted = parseMounts(facts.mountinfo);
  const v1 = mounted.filter(isWanted);
  const v2 = mounted.find(({ type }) => type === "cgroup2");
  const hasController = v1.some(({ controllers }) => controllers.length > 0);
  if (hasController || (v1.length > 0 && !v2)) {
    const hierarchies = options.rare ? [...v1, ...mounted.filter(isRare)] : v1;
    return { version: "v1", mode: v2 ? "hybrid" : "v1", hierarchies, own: ownPath(facts, v1) };
  }
  if (!v2) return { version: "v2", mode: "none", hierarchies: [], own: "/" };
  const hierarchy = { ...v2, directory: "", controllers: words(facts.v2Controllers) };
  return { version: "v2", mode: "v2", hierarchies: [hierarchy], own: ownPath(facts, [hierarchy]) };
}

/** A v1 hierarchy with a controller that matters, or systemd's, in which it looks for a service's processes. */
function isWanted(hierarchy: Hierarchy): boolean {
  const { type, controllers, name } = hierarchy;
  return type === "cgroup" && ((controllers.length > 0 && !isRare(hierarchy)) || name === "systemd");
}

/** A v1 hierarchy with none but rare controllers. */
export function isRare({ type, controllers }: Hierarchy): boolean {
  return type === "cgroup" && controllers.length > 0 && controllers.every((name) => rareControllers.includes(name));
}

/** Every cgroup mount once: the first of a set of controllers wins, as later ones are bind mounts or a container's. */
function parseMounts(mountinfo: string): Hierarchy[] {
  const seen = new Set<string>();
  return mountinfo.split("\n").flatMap((line) => {
    const hierarchy = parseMount(line);
    if (!hierarchy) return [];
    const key = `${hierarchy.type} ${hierarchy.controllers} ${hierarchy.name}`;
    if (seen.has(key)) return [];
    seen.add(key);
    return [hierarchy];
  });
}

/** One line of proc_pid_mountinfo(5): "id parent device root mount-point options … - type source super-options". */
function parseMount(line: string): Hierarchy | undefined {
  const [before = "", after = ""] = line.split(" - ");
  const [, , , root = "", escaped = "", options = ""] = before.split(" ");
  const [type, , superOptions = ""] = after.split(" ");
  if (type !== "cgroup" && type !== "cgroup2") return undefined;
  const mountPoint = escaped.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
  const all = superOptions.split(",");
  // It shows what is above our cgroup namespace, where nsdelegate lets us put no process (ENOENT).
  if (type === "cgroup2" && root.startsWith("/..") && all.includes("nsdelegate")) return undefined;
  const name = all.find((option) => option.startsWith("name="))?.slice("name=".length);
  return {
    type,
    mountPoint,
    directory: mountPoint.slice(mountPoint.lastIndexOf("/") + 1),
    controllers: type === "cgroup" ? all.filter((option) => isKnown(option)) : [],
    ...(name !== undefined && { name }),
    readOnly: options.split(",").includes("ro") || all.includes("ro"),
  };
}

function isKnown(controller: string): boolean {
  return v1Controllers.includes(controller) || rareControllers.includes(controller);
}

/** This process's cgroup in the first hierarchy that tells: a line is "id:controllers:path" (cgroups(7)). */
function ownPath(facts: CgroupFacts, hierarchies: readonly Hierarchy[]): CgroupPath {
  const lines = facts.selfCgroup.split("\n").map((line) => /^\d+:([^:]*):(.*)$/.exec(line));
  for (const hierarchy of hierarchies.toReversed()) {
    const wanted = hierarchy.name ? `name=${hierarchy.name}` : hierarchy.controllers.join(",");
    const line = lines.find((found) => found?.[1] === (hierarchy.type === "cgroup2" ? "" : wanted));
    // "/../x" is a cgroup outside our cgroup namespace
    if (line?.[2] && !line[2].startsWith("/..")) return line[2];
  }
  return "/";
}

/** Words of a line of text; none for an empty one. */
export function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
