import { SampanError } from "../errors/index.ts";

/** Which files the cgroups of this machine have: what a limit can be written to. */
export interface Available {
  /** Why there is no such controller, undefined when it is there. */
  missing(controller: string): string | undefined;
  has(controller: string, file: string): boolean;
}

/** What makes a controller appear. */
const remedies: Readonly<Record<string, string>> = {
  memory: "boot with cgroup_enable=memory",
  cpu: "use a kernel with CONFIG_CGROUP_SCHED",
  cpuset: "use a kernel with CONFIG_CPUSETS",
  devices: "use a kernel with CONFIG_CGROUP_DEVICE",
  freezer: "use a kernel with CONFIG_CGROUP_FREEZER",
  blkio: "use a kernel with CONFIG_BLK_CGROUP",
  io: "use a kernel with CONFIG_BLK_CGROUP",
  pids: "use a kernel with CONFIG_CGROUP_PIDS",
  hugetlb: "use a kernel with CONFIG_CGROUP_HUGETLB",
  net_cls: "use a kernel with CONFIG_CGROUP_NET_CLASSID",
  net_prio: "use a kernel with CONFIG_CGROUP_NET_PRIO",
  rdma: "use a kernel with CONFIG_CGROUP_RDMA",
};

/** What makes a file of a controller appear, by the beginning of its name. */
const fileRemedies: readonly (readonly [string, string])[] = [
  ["memory.memsw.", "swap is not accounted for: boot with swapaccount=1"],
  ["memory.swap.", "swap is not accounted for: boot with swapaccount=1, on a kernel with CONFIG_SWAP"],
  ["memory.swappiness", "cgroup v2 has no swappiness per cgroup: set vm.swappiness"],
  ["memory.oom_control", "cgroup v2 always has its OOM killer: set memory limits high enough"],
  ["cpu.cfs_burst", "it needs Linux 5.14"],
  ["cpu.max.burst", "it needs Linux 5.14"],
  ["cpu.cfs", "use a kernel with CONFIG_CFS_BANDWIDTH"],
  ["cpu.max", "use a kernel with CONFIG_CFS_BANDWIDTH"],
  ["cpu.idle", "it needs Linux 5.15"],
  ["blkio.weight", "weights need the bfq scheduler: modprobe bfq, and choose it in /sys/block/DEVICE/queue/scheduler"],
  ["blkio.throttle", "use a kernel with CONFIG_BLK_DEV_THROTTLING"],
  ["io.weight", "weights need the bfq scheduler (modprobe bfq) or CONFIG_BLK_CGROUP_IOCOST"],
  ["hugetlb.", "this machine has no huge pages of that size: see /sys/kernel/mm/hugepages"],
  ["io.max", "use a kernel with CONFIG_BLK_DEV_THROTTLING"],
];

/** The refusal of a limit: `what` as in "limit memory". */
export function unsupported(what: string, controller: string, reason: string): SampanError {
  return new SampanError("unsupported", `Cannot ${what}: cgroup controller ${controller}: ${reason}`);
}

/** Throws `unsupported` unless `file` of `controller` can be written. */
export function requireFile(available: Available, what: string, controller: string, file: string): void {
  const missing = available.missing(controller);
  if (missing !== undefined) throw unsupported(what, controller, missing);
  if (available.has(controller, file)) return;
  const remedy = fileRemedies.find(([start]) => file.startsWith(start))?.[1] ?? "this kernel is too old for it";
  throw unsupported(what, controller, `there is no ${file}; ${remedy}`);
}

/** Why a controller is not there and what to do, for `Available.missing`. */
export function absence(controller: string, version: "v1" | "v2", because?: string): string {
  const remedy = remedies[controller] ?? "use a kernel that has it";
  if (because !== undefined) return because;
  return version === "v1"
    ? `it is not mounted; ${remedy}, and mount it below /sys/fs/cgroup`
    : `it is not enabled for us; ${remedy}, or have it delegated (systemd: Delegate=${controller})`;
}
