import type { Resources } from "../../cgroups/types.ts";
import { SampanError } from "../../errors/index.ts";
import type { HostConfig, HostConfigRequest } from "../config.ts";

/** What an update may change; a value of zero, "", or none leaves a field as it is. */
const live = [
  ...["BlkioWeight", "BlkioWeightDevice", "BlkioDeviceReadBps", "BlkioDeviceWriteBps"],
  ...["BlkioDeviceReadIOps", "BlkioDeviceWriteIOps", "CpuShares", "NanoCpus", "CpuPeriod", "CpuQuota"],
  ...["CpusetCpus", "CpusetMems", "Memory", "MemorySwap", "MemoryReservation", "PidsLimit"],
] as const satisfies readonly (keyof HostConfig)[];

const fixed: readonly (keyof HostConfig)[] = [
  ...(["CgroupParent", "Devices", "DeviceCgroupRules", "DeviceRequests", "MemorySwappiness"] as const),
  ...(["OomKillDisable", "Ulimits", "CpuRealtimePeriod", "CpuRealtimeRuntime", "CpuCount", "CpuPercent"] as const),
  ...(["IOMaximumIOps", "IOMaximumBandwidth", "Egress", "TimeOffsets"] as const),
];

/** Throws for what can only be said when a container is created. */
export function refuseFixed(request: HostConfigRequest): void {
  for (const field of fixed) {
    if (!said(request[field])) continue;
    throw new SampanError("unsupported", `Cannot update ${field}: it is fixed when a container is created`);
  }
}

/** The host config after an update. "conflict" with dockerd's texts for what does not go with what holds already. */
export function mergeUpdate(id: string, before: HostConfig, request: HostConfigRequest): HostConfig {
  const [conflict] = conflicts(before, request);
  if (conflict !== undefined) throw new SampanError("conflict", `Cannot update container ${id}: ${conflict}`);
  const changed = Object.fromEntries(live.filter((field) => said(request[field])).map((key) => [key, request[key]]));
  // Zero is said, too: it is the limit that is none.
  const pids = request.PidsLimit === undefined || request.PidsLimit === null ? {} : { PidsLimit: request.PidsLimit };
  const { RestartPolicy: policy } = request;
  return { ...before, ...changed, ...pids, ...(policy?.Name && { RestartPolicy: policy }) };
}

function conflicts(before: HostConfig, request: HostConfigRequest): string[] {
  const { NanoCpus = 0, CpuPeriod = 0, CpuQuota = 0, Memory = 0, MemorySwap = 0, RestartPolicy } = numbers(request);
  const checks: readonly (readonly [boolean, string])[] = [
    [NanoCpus > 0 && before.CpuPeriod > 0, optionsConflict("Nano CPUs", "CPU Period")],
    [NanoCpus > 0 && before.CpuQuota > 0, optionsConflict("Nano CPUs", "CPU Quota")],
    [CpuPeriod > 0 && before.NanoCpus > 0, optionsConflict("CPU Period", "NanoCPUs")],
    [CpuQuota > 0 && before.NanoCpus > 0, optionsConflict("CPU Quota", "NanoCPUs")],
    [
      // So dockerd says of containers that have no limit at all, too.
      Memory > before.MemorySwap && MemorySwap === 0 && Memory > 0,
      "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time",
    ],
    [
      before.AutoRemove && (RestartPolicy?.Name ?? "no") !== "no" && RestartPolicy?.Name !== "",
      "Restart policy cannot be updated because AutoRemove is enabled for the container",
    ],
  ];
  return checks.flatMap(([refused, text]) => (refused ? [text] : []));
}

function optionsConflict(asked: string, holds: string): string {
  return `Conflicting options: ${asked} cannot be updated as ${holds} has already been set`;
}

type Numbers = Partial<
  Pick<HostConfig, "NanoCpus" | "CpuPeriod" | "CpuQuota" | "Memory" | "MemorySwap" | "RestartPolicy">
>;

function numbers(request: HostConfigRequest): Numbers {
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== null && value !== undefined));
}

function said(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== null && value !== 0 && value !== "" && value !== false;
}

/** What is to be written into a cgroup that is there: the limits that differ, and those that no longer hold lifted. */
export function changesOf(before: Resources, after: Resources): Omit<Resources, "devices"> {
  return {
    ...memoryChanges(before.memory, after.memory),
    ...group("cpu", before.cpu, after.cpu, { quota: -1, shares: 1024 }),
    ...group("pids", before.pids, after.pids, { limit: 0 }),
    ...group("blockIO", before.blockIO, after.blockIO, {}),
  };
}

/** v2 has a limit of swap alone, which follows from both: they are written together. */
function memoryChanges(before: Resources["memory"], after: Resources["memory"]): Pick<Resources, "memory"> {
  const { memory } = group("memory", before, after, { limit: -1, reservation: -1 });
  if (memory === undefined || !("limit" in memory || "swap" in memory)) return memory ? { memory } : {};
  const both = { limit: after?.limit, swap: after?.swap };
  return {
    memory: { ...Object.fromEntries(Object.entries(both).filter(([, value]) => value !== undefined)), ...memory },
  };
}

function group<K extends "memory" | "cpu" | "pids" | "blockIO">(
  key: K,
  before: Resources[K] | undefined,
  after: Resources[K] | undefined,
  none: NonNullable<Resources[K]> | Record<string, never>,
): { [P in K]?: NonNullable<Resources[K]> } {
  const old: Record<string, unknown> = { ...before };
  const wanted: Record<string, unknown> = { ...after };
  const lifted = Object.entries(none).filter(([name]) => name in old && !(name in wanted));
  const changed = Object.entries(wanted).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(old[name]));
  const all = Object.fromEntries([...lifted, ...changed]);
  return (Object.keys(all).length === 0 ? {} : { [key]: all }) as { [P in K]?: NonNullable<Resources[K]> };
}
