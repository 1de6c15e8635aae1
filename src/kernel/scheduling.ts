/** Numbers of sched_setattr(2), ioprio_set(2), set_mempolicy(2) and personality(2), by the names of the OCI spec. */

/** include/uapi/linux/sched.h */
export const schedulerPolicies = {
  SCHED_OTHER: 0,
  SCHED_FIFO: 1,
  SCHED_RR: 2,
  SCHED_BATCH: 3,
  SCHED_ISO: 4,
  SCHED_IDLE: 5,
  SCHED_DEADLINE: 6,
} as const;

export const schedulerFlags = {
  SCHED_FLAG_RESET_ON_FORK: 0x01,
  SCHED_FLAG_RECLAIM: 0x02,
  SCHED_FLAG_DL_OVERRUN: 0x04,
  SCHED_FLAG_KEEP_POLICY: 0x08,
  SCHED_FLAG_KEEP_PARAMS: 0x10,
  SCHED_FLAG_UTIL_CLAMP_MIN: 0x20,
  SCHED_FLAG_UTIL_CLAMP_MAX: 0x40,
} as const;

/** include/uapi/linux/ioprio.h; the class is above 13 bits of priority. */
export const ioClasses = { IOPRIO_CLASS_RT: 1, IOPRIO_CLASS_BE: 2, IOPRIO_CLASS_IDLE: 3 } as const;
export const IOPRIO_CLASS_SHIFT = 13;
export const IOPRIO_WHO_PROCESS = 1;

/** include/uapi/linux/mempolicy.h */
export const memoryPolicies = {
  MPOL_DEFAULT: 0,
  MPOL_PREFERRED: 1,
  MPOL_BIND: 2,
  MPOL_INTERLEAVE: 3,
  MPOL_LOCAL: 4,
  MPOL_PREFERRED_MANY: 5,
  MPOL_WEIGHTED_INTERLEAVE: 6,
} as const;

export const memoryPolicyFlags = {
  MPOL_F_NUMA_BALANCING: 1 << 13,
  MPOL_F_RELATIVE_NODES: 1 << 14,
  MPOL_F_STATIC_NODES: 1 << 15,
} as const;

/** The fields of struct sched_attr (sched_setattr(2)); times are in nanoseconds. */
export interface SchedulerAttributes {
  readonly policy: keyof typeof schedulerPolicies;
  readonly flags: readonly (keyof typeof schedulerFlags)[];
  readonly nice: number;
  readonly priority: number;
  readonly runtime: bigint;
  readonly deadline: bigint;
  readonly period: bigint;
}

/** struct sched_attr in its first size, 48 bytes. */
export function encodeSchedAttr(attributes: SchedulerAttributes): Uint8Array {
  const { policy, flags, nice, priority, runtime, deadline, period } = attributes;
  const bytes = Buffer.alloc(48);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeUInt32LE(schedulerPolicies[policy], 4);
  bytes.writeBigUInt64LE(BigInt(flags.reduce((sum, name) => sum | schedulerFlags[name], 0)), 8);
  bytes.writeInt32LE(nice, 16);
  bytes.writeUInt32LE(priority, 20);
  bytes.writeBigUInt64LE(runtime, 24);
  bytes.writeBigUInt64LE(deadline, 32);
  bytes.writeBigUInt64LE(period, 40);
  return bytes;
}
