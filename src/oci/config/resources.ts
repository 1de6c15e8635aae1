import { fallback, flag, integer, list, object, oneOf, optional, refused, table, text } from "./shape.ts";

const device = { major: integer, minor: integer };
const rates = list(object({ ...device, rate: integer }));

const deviceRule = object({
  allow: flag,
  type: optional(oneOf(["a", "b", "c", "u", "p", ""])),
  major: optional(integer),
  minor: optional(integer),
  access: optional(text),
});

const memory = object({
  limit: optional(integer),
  reservation: optional(integer),
  swap: optional(integer),
  kernel: refused("Linux has no limit for kernel memory any more"),
  kernelTCP: refused("limits of kernel memory for TCP are not set yet"),
  swappiness: optional(integer),
  disableOOMKiller: optional(flag),
  // Linux knows no other way since 5.11
  useHierarchy: optional(flag),
  checkBeforeUpdate: fallback(flag, false),
});

const cpu = object({
  shares: optional(integer),
  quota: optional(integer),
  burst: optional(integer),
  period: optional(integer),
  realtimeRuntime: optional(integer),
  realtimePeriod: optional(integer),
  cpus: optional(text),
  mems: optional(text),
  idle: optional(integer),
});

const blockIO = object({
  weight: optional(integer),
  leafWeight: refused("no I/O scheduler of today has leaf weights"),
  weightDevice: list(
    object({ ...device, weight: optional(integer), leafWeight: refused("no I/O scheduler of today has leaf weights") }),
  ),
  throttleReadBpsDevice: rates,
  throttleWriteBpsDevice: rates,
  throttleReadIOPSDevice: rates,
  throttleWriteIOPSDevice: rates,
});

/** `linux.resources` (config-linux.md, "Control groups"), and the document that `update --resources` takes. */
export const resourcesShape = object({
  devices: list(deviceRule),
  memory: optional(memory),
  cpu: optional(cpu),
  pids: optional(object({ limit: optional(integer) })),
  blockIO: optional(blockIO),
  hugepageLimits: list(object({ pageSize: text, limit: integer })),
  network: optional(
    object({ classID: optional(integer), priorities: list(object({ name: text, priority: integer })) }),
  ),
  rdma: table(object({ hcaHandles: optional(integer), hcaObjects: optional(integer) })),
  unified: table(text),
});

export type OciResources = ReturnType<typeof resourcesShape>;
