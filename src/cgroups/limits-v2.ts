import { SampanError } from "../errors/index.ts";
import { type Available, unsupported } from "./available.ts";
import { type Current, Limits, orMax, setPids, sizeText, type Write } from "./limits.ts";
import { setHugepages, setRdma } from "./limits-rare.ts";
import { refuseRealtime } from "./limits-v1.ts";
import type { BlockIoResources, CpuResources, MemoryResources, Resources } from "./resources.ts";
import { sharesToWeight, toIoWeight } from "./weight.ts";

/**
 * What has to be written to v2 files, in order; devices are an eBPF program and not among them. Throws `unsupported`
 * for what this machine cannot limit.
 */
export function limitsV2(resources: Resources, available: Available, current: Current): Write[] {
  const limits = new Limits(available);
  if (resources.memory) setMemory(limits, resources.memory, current);
  if (resources.cpu) setCpu(limits, resources.cpu, current);
  if (resources.pids) setPids(limits, resources.pids);
  if (resources.blockIO) setBlockIo(limits, resources.blockIO);
  if (resources.hugepages) setHugepages(limits, resources.hugepages, "v2");
  if (resources.rdma) setRdma(limits, resources.rdma);
  const { classId, priorities = [] } = resources.network ?? {};
  if (classId !== undefined || priorities.length > 0)
    throw unsupported(
      "classify its packets",
      "net_cls",
      "cgroup v2 has no classes and priorities of packets: mark them with nftables (socket cgroupv2)",
    );
  for (const [file, value] of Object.entries(resources.unified ?? {})) setUnified(limits, file, value);
  return limits.writes;
}

function setMemory(limits: Limits, memory: MemoryResources, current: Current): void {
  const { limit, reservation, swappiness } = memory;
  if (limit !== undefined) limits.set(`limit memory to ${sizeText(limit)}`, "memory", "memory.max", orMax(limit));
  const swap = memory.swap ?? (limit === -1 && limits.has("memory", "memory.swap.max") ? -1 : undefined);
  if (swap !== undefined) {
    const own = swap < 0 ? -1 : swap - (limit ?? limitNow(current));
    limits.set(`limit swap to ${sizeText(own)}`, "memory", "memory.swap.max", orMax(own));
  }
  if (reservation !== undefined)
    limits.set(`reserve ${sizeText(reservation)} of memory`, "memory", "memory.low", orMax(reservation));
  if (swappiness !== undefined)
    limits.set(`set swappiness to ${swappiness}`, "memory", "memory.swappiness", swappiness);
  if (memory.disableOOMKiller) limits.set("keep the OOM killer away", "memory", "memory.oom_control", 1);
}

/** v1 counts memory and swap together, v2 apart: the memory's limit has to be known. */
function limitNow(current: Current): number {
  const text = current("memory", "memory.max")?.trim() ?? "max";
  if (text !== "max") return Number(text);
  throw new SampanError("invalid", "Cannot limit memory with swap: no limit of memory is set, set it too");
}

function setCpu(limits: Limits, cpu: CpuResources, current: Current): void {
  refuseRealtime(cpu);
  // The weight of a cgroup that is idle cannot be changed (EINVAL).
  if (cpu.idle === 0) limits.set("let it run as others do", "cpu", "cpu.idle", 0);
  if (cpu.shares) {
    limits.set(`give ${cpu.shares} shares of CPU, converted`, "cpu", "cpu.weight", sharesToWeight(cpu.shares));
  }
  if (cpu.idle) limits.set("let it run only when nothing else does", "cpu", "cpu.idle", cpu.idle);
  if (cpu.quota !== undefined || cpu.period !== undefined) {
    const [quotaNow = "max", periodNow] = current("cpu", "cpu.max")?.trim().split(" ") ?? [];
    const quota = cpu.quota === undefined ? quotaNow : cpu.quota > 0 ? String(cpu.quota) : "max";
    const period = cpu.period ?? periodNow ?? 100_000;
    limits.set(`limit CPU time to ${quota} of ${period} µs`, "cpu", "cpu.max", `${quota} ${period}`);
  }
  if (cpu.burst !== undefined)
    limits.set(`let it save up ${cpu.burst} µs of CPU time`, "cpu", "cpu.max.burst", cpu.burst);
  if (cpu.cpus) limits.set(`run on CPUs ${cpu.cpus}`, "cpuset", "cpuset.cpus", cpu.cpus);
  if (cpu.mems) limits.set(`use memory nodes ${cpu.mems}`, "cpuset", "cpuset.mems", cpu.mems);
}

function setBlockIo(limits: Limits, io: BlockIoResources): void {
  // bfq takes v1's range as it is and needs no conversion (since Linux 5.0).
  const bfq = limits.has("io", "io.bfq.weight");
  const file = bfq ? "io.bfq.weight" : "io.weight";
  const converted = (weight: number) => (bfq ? weight : toIoWeight(weight));
  if (io.weight) limits.set(`give block I/O the weight ${io.weight}`, "io", file, converted(io.weight));
  for (const { major, minor, weight } of io.weightDevice ?? [])
    limits.set(`weigh I/O of ${major}:${minor}`, "io", file, `${major}:${minor} ${converted(weight)}`);
  for (const [device, rates] of throttles(io))
    limits.set(`limit I/O of device ${device}`, "io", "io.max", `${device} ${rates.join(" ")}`);
}

/** "major:minor" → what io.max is to say of it; one write sets all four of a device. */
function throttles(io: BlockIoResources): Map<string, string[]> {
  const devices = new Map<string, string[]>();
  const kinds = [
    ["rbps", io.throttleReadBpsDevice],
    ["wbps", io.throttleWriteBpsDevice],
    ["riops", io.throttleReadIOPSDevice],
    ["wiops", io.throttleWriteIOPSDevice],
  ] as const;
  for (const [key, list] of kinds) {
    for (const { major, minor, rate } of list ?? []) {
      const device = `${major}:${minor}`;
      devices.set(device, [...(devices.get(device) ?? []), `${key}=${rate > 0 ? rate : "max"}`]);
    }
  }
  return devices;
}

function setUnified(limits: Limits, file: string, value: string): void {
  if (!/^[a-z][a-z0-9_]*(\.[A-Za-z0-9_]+)+$/.test(file))
    throw new SampanError("invalid", `Cannot set cgroup value ${JSON.stringify(file)}: not the name of a cgroup file`);
  const [controller = ""] = file.split(".");
  for (const line of value.split("\n").filter((text) => text !== "")) limits.set(`set ${file}`, controller, file, line);
}
