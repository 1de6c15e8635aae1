import type { DeviceRule } from "../kernel/bpf/device-rules.ts";

export type { DeviceRule } from "../kernel/bpf/device-rules.ts";

/**
 * What a container may use: the part of the OCI runtime spec's linux.resources that Sampan knows, with its names. An
 * absent field is left as the kernel has it; -1 is "no limit" wherever a limit may be lifted.
 */
export interface Resources {
  readonly memory?: MemoryResources;
  readonly cpu?: CpuResources;
  readonly pids?: PidsResources;
  readonly blockIO?: BlockIoResources;
  readonly hugepages?: readonly HugepageLimit[];
  /** v1 only. */
  readonly network?: NetworkResources;
  /** By the device's name: "mlx5_1". */
  readonly rdma?: Readonly<Record<string, RdmaLimit>>;
  /** In order, later rules win, as the OCI spec has it. Absent: every device is allowed; an empty list: none. */
  readonly devices?: readonly DeviceRule[];
  /** v2 only: file name → value, one write per line. */
  readonly unified?: Readonly<Record<string, string>>;
}

/** Bytes. */
export interface MemoryResources {
  readonly limit?: number;
  /** What the container keeps when memory gets scarce. */
  readonly reservation?: number;
  /** Memory and swap together, as Docker's --memory-swap; equal to `limit` means no swap. v2 needs `limit` too. */
  readonly swap?: number;
  /** 0 to 100; v1 only. */
  readonly swappiness?: number;
  /** v1 only. */
  readonly disableOOMKiller?: boolean;
}

export interface CpuResources {
  /** Relative weight of v1, 2 to 262144, 1024 by default; converted for v2. */
  readonly shares?: number;
  /** Microseconds of processor time per period. */
  readonly quota?: number;
  /** Microseconds. */
  readonly period?: number;
  /** Microseconds that may be saved up; needs Linux 5.14. */
  readonly burst?: number;
  /** 1: runs only when nothing else wants to (SCHED_IDLE); needs Linux 5.15. */
  readonly idle?: number;
  /** "0-2,7" */
  readonly cpus?: string;
  /** Memory nodes. */
  readonly mems?: string;
  /** Refused: the kernel gives realtime time to cgroups only where every parent has been given some. */
  readonly realtimeRuntime?: number;
  readonly realtimePeriod?: number;
}

export interface PidsResources {
  /** Processes and threads; 0 and -1 are no limit. */
  readonly limit: number;
}

export interface HugepageLimit {
  /** As the kernel names its files: "2MB", "1GB". */
  readonly pageSize: string;
  /** Bytes. */
  readonly limit: number;
}

export interface NetworkResources {
  /** Of the packets: 0xAAAABBBB is tc's AAAA:BBBB. */
  readonly classId?: number;
  /** Of packets that leave by an interface. */
  readonly priorities?: readonly { readonly name: string; readonly priority: number }[];
}

/** How many handles and objects of a device may be held. */
export interface RdmaLimit {
  readonly hcaHandles?: number;
  readonly hcaObjects?: number;
}

export interface BlockDevice {
  readonly major: number;
  readonly minor: number;
}

export interface BlockIoResources {
  /** 10 to 1000. */
  readonly weight?: number;
  readonly weightDevice?: readonly (BlockDevice & { readonly weight: number })[];
  /** Bytes or operations per second; 0 is no limit. */
  readonly throttleReadBpsDevice?: readonly (BlockDevice & { readonly rate: number })[];
  readonly throttleWriteBpsDevice?: readonly (BlockDevice & { readonly rate: number })[];
  readonly throttleReadIOPSDevice?: readonly (BlockDevice & { readonly rate: number })[];
  readonly throttleWriteIOPSDevice?: readonly (BlockDevice & { readonly rate: number })[];
}
