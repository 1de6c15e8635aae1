import { statSync } from "node:fs";
import type {
  BlockDevice,
  BlockIoResources,
  CpuResources,
  DeviceRule,
  MemoryResources,
  Resources,
} from "../../cgroups/types.ts";
import { SampanError } from "../../errors/index.ts";
import type { HostConfig } from "../config.ts";
import { deviceNumber } from "./device-number.ts";

const cpuPeriod = 100_000;

/** The limits of a container as the cgroups want them: only what was asked for is there. */
export function resourcesOf(host: HostConfig, devices: readonly DeviceRule[]): Resources {
  const limit = host.PidsLimit ?? 0;
  return {
    ...nonEmpty("memory", memoryOf(host)),
    ...nonEmpty("cpu", cpuOf(host)),
    ...nonEmpty("blockIO", blockIoOf(host)),
    ...(limit > 0 && { pids: { limit } }),
    devices,
  };
}

function nonEmpty<K extends string, T extends object>(key: K, value: T): { [P in K]?: T } {
  return Object.keys(value).length > 0 ? ({ [key]: value } as { [P in K]?: T }) : {};
}

function memoryOf(host: HostConfig): MemoryResources {
  return {
    ...(host.Memory > 0 && { limit: host.Memory }),
    ...(host.MemoryReservation > 0 && { reservation: host.MemoryReservation }),
    ...(host.MemorySwap !== 0 && { swap: host.MemorySwap }),
    ...(host.MemorySwappiness !== null && { swappiness: host.MemorySwappiness }),
    ...(host.OomKillDisable === true && { disableOOMKiller: true }),
  };
}

function cpuOf(host: HostConfig): CpuResources {
  const byCpus = host.NanoCpus > 0;
  const period = byCpus ? cpuPeriod : host.CpuPeriod;
  const quota = byCpus ? Math.floor((host.NanoCpus * cpuPeriod) / 1e9) : host.CpuQuota;
  return {
    ...(host.CpuShares > 0 && { shares: host.CpuShares }),
    ...(period !== 0 && { period }),
    ...(quota !== 0 && { quota }),
    ...(host.CpusetCpus !== "" && { cpus: host.CpusetCpus }),
    ...(host.CpusetMems !== "" && { mems: host.CpusetMems }),
  };
}

function blockIoOf(host: HostConfig): BlockIoResources {
  const weights = host.BlkioWeightDevice?.map(({ Path, Weight }) => ({ ...blockDevice(Path), weight: Weight })) ?? [];
  const rates = (list: HostConfig["BlkioDeviceReadBps"]) =>
    list?.map(({ Path, Rate }) => ({ ...blockDevice(Path), rate: Rate })) ?? [];
  const readBps = rates(host.BlkioDeviceReadBps);
  const writeBps = rates(host.BlkioDeviceWriteBps);
  const readIops = rates(host.BlkioDeviceReadIOps);
  const writeIops = rates(host.BlkioDeviceWriteIOps);
  return {
    ...(host.BlkioWeight > 0 && { weight: host.BlkioWeight }),
    ...(weights.length > 0 && { weightDevice: weights }),
    ...(readBps.length > 0 && { throttleReadBpsDevice: readBps }),
    ...(writeBps.length > 0 && { throttleWriteBpsDevice: writeBps }),
    ...(readIops.length > 0 && { throttleReadIOPSDevice: readIops }),
    ...(writeIops.length > 0 && { throttleWriteIOPSDevice: writeIops }),
  };
}

function blockDevice(path: string): BlockDevice {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new SampanError("invalid", `no such device: ${path}`);
  if (!stat.isBlockDevice()) throw new SampanError("invalid", `Cannot limit ${path}: it is not a block device`);
  return deviceNumber(stat.rdev);
}
