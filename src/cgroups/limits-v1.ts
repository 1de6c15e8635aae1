import { SampanError } from "../errors/index.ts";
import type { Available } from "./available.ts";
import { unsupported } from "./available.ts";
import { deviceWrites } from "./devices.ts";
import { type Current, Limits, setPids, sizeText, type Write } from "./limits.ts";
import { setHugepages, setNetwork, setRdma } from "./limits-rare.ts";
import type { BlockIoResources, CpuResources, MemoryResources, Resources } from "./resources.ts";

/** What has to be written to v1 files, in order. Throws `unsupported` for what this machine cannot limit. */
export function limitsV1(resources: Resources, available: Available, current: Current): Write[] {
  const limits = new Limits(available);
  if (resources.memory) setMemory(limits, resources.memory, current);
  if (resources.cpu) setCpu(limits, resources.cpu);
  if (resources.pids) setPids(limits, resources.pids);
  if (resources.blockIO) setBlockIo(limits, resources.blockIO);
  if (resources.hugepages) setHugepages(limits, resources.hugepages, "v1");
  if (resources.network) setNetwork(limits, resources.network);
  if (resources.rdma) setRdma(limits, resources.rdma);
  if (resources.devices)
    for (const [what, file, value] of deviceWrites(resources.devices)) limits.set(what, "devices", file, value);
  if (resources.unified && Object.keys(resources.unified).length > 0) {
    throw new SampanError(
      "unsupported",
      "Cannot set unified cgroup values: this machine has cgroup v1, boot it with v2",
    );
  }
  return limits.writes;
}

const limitFile = "memory.limit_in_bytes";
const swapFile = "memory.memsw.limit_in_bytes";

function setMemory(limits: Limits, memory: MemoryResources, current: Current): void {
  const { limit, reservation, swappiness } = memory;
  // Without a limit of its own, memory and swap must not stay limited together: the kernel refuses.
  const swap = memory.swap ?? (limit === -1 && limits.has("memory", swapFile) ? -1 : undefined);
  const setLimit = () => {
    if (limit !== undefined) limits.set(`limit memory to ${sizeText(limit)}`, "memory", limitFile, limit);
  };
  const setSwap = () => {
    if (swap !== undefined) limits.set(`limit memory with swap to ${sizeText(swap)}`, "memory", swapFile, swap);
  };
  // The kernel keeps limit ≤ memsw.limit at every moment: a limit above the present sum has to wait for the new sum.
  const sum = current("memory", swapFile);
  const raises = sum !== undefined && (limit === -1 || (limit ?? 0) > Number(sum));
  for (const set of raises ? [setSwap, setLimit] : [setLimit, setSwap]) set();
  if (reservation !== undefined)
    limits.set(`reserve ${sizeText(reservation)} of memory`, "memory", "memory.soft_limit_in_bytes", reservation);
  if (swappiness !== undefined)
    limits.set(`set swappiness to ${swappiness}`, "memory", "memory.swappiness", swappiness);
  if (memory.disableOOMKiller !== undefined && (memory.disableOOMKiller || current("memory", "memory.oom_control")))
    limits.set("keep the OOM killer away", "memory", "memory.oom_control", memory.disableOOMKiller ? 1 : 0);
}

function setCpu(limits: Limits, cpu: CpuResources): void {
  refuseRealtime(cpu);
  // The weight of a cgroup that is idle cannot be changed (EINVAL).
  if (cpu.idle === 0) limits.set("let it run as others do", "cpu", "cpu.idle", 0);
  if (cpu.shares !== undefined) limits.set(`give ${cpu.shares} shares of CPU`, "cpu", "cpu.shares", cpu.shares);
  if (cpu.idle) limits.set("let it run only when nothing else does", "cpu", "cpu.idle", cpu.idle);
  if (cpu.period !== undefined)
    limits.set(`count CPU time in periods of ${cpu.period} µs`, "cpu", "cpu.cfs_period_us", cpu.period);
  if (cpu.quota !== undefined) {
    const quota = cpu.quota > 0 ? cpu.quota : -1;
    limits.set(`limit CPU time to ${quota > 0 ? `${quota} µs` : "all"} per period`, "cpu", "cpu.cfs_quota_us", quota);
  }
  if (cpu.burst !== undefined)
    limits.set(`let it save up ${cpu.burst} µs of CPU time`, "cpu", "cpu.cfs_burst_us", cpu.burst);
  if (cpu.cpus) limits.set(`run on CPUs ${cpu.cpus}`, "cpuset", "cpuset.cpus", cpu.cpus);
  if (cpu.mems) limits.set(`use memory nodes ${cpu.mems}`, "cpuset", "cpuset.mems", cpu.mems);
}

/** See `CpuResources.realtimeRuntime`. */
export function refuseRealtime(cpu: CpuResources): void {
  if (!cpu.realtimeRuntime && !cpu.realtimePeriod) return;
  throw unsupported(
    "reserve realtime CPU time",
    "cpu",
    "every cgroup above would have to give some of its own; run the container with --privileged and chrt instead",
  );
}

function setBlockIo(limits: Limits, io: BlockIoResources): void {
  const name = limits.has("blkio", "blkio.bfq.weight") ? "blkio.bfq.weight" : "blkio.weight";
  if (io.weight) limits.set(`give block I/O the weight ${io.weight}`, "blkio", name, io.weight);
  for (const { major, minor, weight } of io.weightDevice ?? [])
    limits.set(`weigh I/O of ${major}:${minor}`, "blkio", `${name}_device`, `${major}:${minor} ${weight}`);
  const throttles = [
    ["read_bps_device", "bytes/s read", io.throttleReadBpsDevice],
    ["write_bps_device", "bytes/s written", io.throttleWriteBpsDevice],
    ["read_iops_device", "reads/s", io.throttleReadIOPSDevice],
    ["write_iops_device", "writes/s", io.throttleWriteIOPSDevice],
  ] as const;
  for (const [file, unit, devices] of throttles)
    for (const { major, minor, rate } of devices ?? [])
      limits.set(
        `limit device ${major}:${minor} to ${rate} ${unit}`,
        "blkio",
        `blkio.throttle.${file}`,
        `${major}:${minor} ${rate}`,
      );
}
