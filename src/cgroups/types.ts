import type { Slot } from "../kernel/block.ts";
import type { Program } from "../kernel/program.ts";
import type { Resources } from "./resources.ts";
import type { Usage } from "./usage.ts";

export type {
  BlockDevice,
  BlockIoResources,
  CpuResources,
  DeviceRule,
  MemoryResources,
  PidsResources,
  Resources,
} from "./resources.ts";
export type { BlockIoEntry, CpuUsage, MemoryUsage, PidsUsage, Usage } from "./usage.ts";

/** A path below the root of every hierarchy, beginning with a slash: "/sampan/3f2a…". */
export type CgroupPath = string;

/** A controller of the kernel, by its v1 name ("blkio" is v2's "io"; "cpuacct" and "freezer" are part of v2's core). */
export type Controller = "cpu" | "cpuacct" | "cpuset" | "memory" | "devices" | "freezer" | "blkio" | "pids";

/** One mounted cgroup file system. */
export interface Hierarchy {
  readonly type: "cgroup" | "cgroup2";
  /** Where the machine has it mounted. */
  readonly mountPoint: string;
  /** Last part of the mount point: "cpu,cpuacct"; "" for the only hierarchy of v2. */
  readonly directory: string;
  readonly controllers: readonly string[];
  /** Of a v1 hierarchy without controllers, like "systemd". */
  readonly name?: string;
  readonly readOnly: boolean;
}

/** What the machine has. Hybrid machines (v1 controllers, an almost empty v2) count as v1. */
export interface CgroupLayout {
  readonly version: "v1" | "v2";
  /** Also "hybrid", for people. */
  readonly mode: "v1" | "hybrid" | "v2" | "none";
  /** Those that containers are placed in. */
  readonly hierarchies: readonly Hierarchy[];
  /** Where this process is, below the mount point: own cgroup on v2 (or name=systemd on v1), "/" when unknown. */
  readonly own: CgroupPath;
}

/** What can be limited here; Docker's `GET /info` shows most of it. */
export interface CgroupSupport {
  readonly memory: boolean;
  readonly memoryReservation: boolean;
  readonly swap: boolean;
  readonly swappiness: boolean;
  readonly oomKillDisable: boolean;
  readonly cpuShares: boolean;
  readonly cpuQuota: boolean;
  readonly cpuIdle: boolean;
  readonly cpuset: boolean;
  readonly pids: boolean;
  readonly blkioWeight: boolean;
  readonly blkioThrottle: boolean;
  readonly devices: boolean;
  readonly freezer: boolean;
}

/**
 * The cgroups of one daemon's containers, v1 or v2. The life of a container's cgroup, as steps in programs:
 *
 *     create ─▶ bornIn (v2) ─▶ clone ─▶ enter (v1) ─▶ … ─▶ remove
 *
 * and everything else (usage, update, freeze, sweep) by plain file access from TypeScript. Children of a cgroup are
 * born in it, so only the first process and those of `exec` are placed. The cgroup namespace's root is where the
 * process is when it unshares it: unshare(CLONE_NEWCGROUP) after `enter` (clone3 with CLONE_INTO_CGROUP and
 * CLONE_NEWCGROUP together would take the parent's cgroup as root).
 */
export interface Cgroups {
  readonly version: "v1" | "v2";
  readonly layout: CgroupLayout;
  /** What containers are placed below unless the user says otherwise: "/sampan", with the root's suffix. */
  readonly parent: CgroupPath;
  readonly support: CgroupSupport;

  /** Where container `id` belongs; `parent` is the user's `--cgroup-parent`. Throws `invalid` for one with "..". */
  pathOf(id: string, parent?: string): CgroupPath;

  /**
   * Steps that make the cgroup in every hierarchy and write its limits. A limit this machine cannot set throws
   * `unsupported` here and now, naming the controller and the remedy. Missing parents are made at once. A failing program
   * may leave some of the directories: `removeNow`. EEXIST: something of that name was left behind or lives.
   */
  create(program: Program, path: CgroupPath, resources: Resources): void;

  /**
   * v2: a descriptor for `clone({ cgroup })`; undefined on v1. For `exec`, `init` is the container's first process: it
   * may have moved into a cgroup of its own below, and where it is others may be.
   */
  bornIn(program: Program, path: CgroupPath, init?: number): Slot | undefined;

  /** v1: steps by which the running process, single-threaded as yet, moves itself in every hierarchy; none on v2. */
  enter(program: Program, path: CgroupPath): void;

  /** The file whose line `oom_kill N` counts the victims of the memory limit; undefined without a memory controller. */
  oomCounter(path: CgroupPath): string | undefined;

  /** Steps that remove the cgroup. What is not empty yet, or holds cgroups of the container's own making, stays for `removeNow`. */
  remove(program: Program, path: CgroupPath): void;

  /** Removes the cgroup and those below it; waits up to two seconds for what is just ending. `conflict` if processes live in it. */
  removeNow(path: CgroupPath): Promise<void>;

  /** After a crash: removes every cgroup below our parent that holds no process and is not in `keep`; returns them. */
  sweep(keep: ReadonlySet<CgroupPath>): CgroupPath[];

  /** Removes the parents of a container's cgroup that were made for it, where nobody else is in them. */
  leaveParent(path: CgroupPath): Promise<void>;

  /** Removes the parent if no container is left. For the daemon's end; a later `create` makes it again. */
  close(): void;

  /** Reads what the container uses. `not-found` when the cgroup does not exist. Costs about 0.3 ms of this thread. */
  usage(path: CgroupPath): Usage;

  /** Changes limits of a living container; what `resources` leaves out stays. `invalid` where the kernel refuses a value. */
  update(path: CgroupPath, resources: Omit<Resources, "devices">): void;

  /** Resolves when every process stands still. `timeout` after two seconds, thawed again. */
  freeze(path: CgroupPath): Promise<void>;
  thaw(path: CgroupPath): Promise<void>;
  frozen(path: CgroupPath): boolean;

  /** SIGKILL to every process in it, including such as are just being forked. For containers without a PID namespace. */
  kill(path: CgroupPath): Promise<void>;

  /** Processes in it and below, as the machine numbers them. */
  pids(path: CgroupPath): number[];
}
