import { SampanError } from "../../errors/index.ts";
import { parseNumberList } from "../../kernel/number-list.ts";
import type { HostConfig } from "../config.ts";

/** What the machine has; tests give their own. */
export interface Machine {
  readonly cpus: number;
  /** cpuset lists as the kernel writes them: "0-3". */
  readonly onlineCpus: string;
  readonly onlineMems: string;
}

const mebibyte = 1024 * 1024;
const minimumMemory = 6 * mebibyte;

type Check = readonly [refused: boolean, message: string];

/** Throws `invalid`, with dockerd's texts, for limits that contradict each other or that no kernel takes. */
export function validateLimits(host: HostConfig, machine: Machine): void {
  const checks = [...memoryChecks(host), ...cpuChecks(host, machine), ...otherChecks(host)];
  for (const [refused, message] of checks) if (refused) throw new SampanError("invalid", message);
  validateCpuset("cpus", "CPUs", host.CpusetCpus, machine.onlineCpus);
  validateCpuset("mems", "memory nodes", host.CpusetMems, machine.onlineMems);
}

/** The memory and swap limit that holds when only memory was limited: twice as much, where swap can be limited. */
export function withSwapDefault(host: HostConfig, swapCanBeLimited: boolean): HostConfig {
  return swapCanBeLimited && host.Memory > 0 && host.MemorySwap === 0 ? { ...host, MemorySwap: host.Memory * 2 } : host;
}

function memoryChecks(host: HostConfig): Check[] {
  const { Memory: memory, MemorySwap: swap, MemoryReservation: reservation, MemorySwappiness: swappiness } = host;
  return [
    [memory !== 0 && memory < minimumMemory, "Minimum memory limit allowed is 6MB"],
    [memory > 0 && swap > 0 && swap < memory, "Minimum memoryswap limit should be larger than memory limit, see usage"],
    [memory === 0 && swap > 0, "You should always set the Memory limit when using Memoryswap limit, see usage"],
    [swap < -1, `Invalid value: ${swap}, the memoryswap limit is -1 (unlimited) or a number of bytes`],
    [
      swappiness !== null && (swappiness < 0 || swappiness > 100),
      `Invalid value: ${swappiness}, valid memory swappiness range is 0-100`,
    ],
    [reservation !== 0 && reservation < minimumMemory, "Minimum memory reservation allowed is 6MB"],
    [
      memory > 0 && reservation > memory,
      "Minimum memory limit can not be less than memory reservation limit, see usage",
    ],
  ];
}

function cpuChecks(host: HostConfig, { cpus }: Machine): Check[] {
  const { NanoCpus: nano, CpuPeriod: period, CpuQuota: quota, CpuShares: shares } = host;
  return [
    [nano > 0 && period > 0, "Conflicting options: Nano CPUs and CPU Period cannot both be set"],
    [nano > 0 && quota > 0, "Conflicting options: Nano CPUs and CPU Quota cannot both be set"],
    [
      nano < 0 || (nano > 0 && nano < 1e7) || nano > cpus * 1e9,
      `range of CPUs is from 0.01 to ${cpus}.00, as there are only ${cpus} CPUs available`,
    ],
    [
      period !== 0 && (period < 1000 || period > 1_000_000),
      "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)",
    ],
    [quota > 0 && quota < 1000, "CPU cfs quota can not be less than 1ms (i.e. 1000)"],
    [shares < 0, `invalid CPU shares (${shares}): value must be a positive integer`],
  ];
}

function otherChecks(host: HostConfig): Check[] {
  const { BlkioWeight: weight, OomScoreAdj: score, ShmSize: shm } = host;
  return [
    [weight !== 0 && (weight < 10 || weight > 1000), "Range of blkio weight is from 10 to 1000"],
    [score < -1000 || score > 1000, `Invalid value ${score}, range for oom score adj is [-1000, 1000]`],
    [shm < 0, "SHM size can not be less than 0"],
  ];
}

function validateCpuset(name: string, things: string, asked: string, available: string): void {
  if (asked === "") return;
  const wanted = parseNumberList(asked);
  if (wanted === undefined) throw new SampanError("invalid", `Invalid value ${asked} for cpuset ${name}`);
  const there = parseNumberList(available) ?? new Set();
  if ([...wanted].some((number) => !there.has(number))) {
    throw new SampanError(
      "invalid",
      `Requested ${things} are not available - requested ${asked}, available: ${available}`,
    );
  }
}
