import * as z from "zod";
import type { CreateRequest, HostConfigRequest } from "../../engine/types.ts";
import { SampanError } from "../../errors/index.ts";
import { egress } from "./egress.ts";
import { endpointsConfig } from "./endpoint.ts";
import { struct, validateJson } from "./validate.ts";

const strings = z.array(z.string());
/** A command: a list, or from old clients one string. */
const command = z.union([strings, z.string().transform((one) => [one])]);
const texts = z.record(z.string(), z.string());
const set = z.record(
  z.string(),
  z.unknown().transform(() => ({})),
);
const integer = z.number().int();

const healthcheck = struct({
  Test: strings,
  Interval: integer,
  Timeout: integer,
  StartPeriod: integer,
  StartInterval: integer,
  Retries: integer,
  OnFailure: z.string(),
}).transform(withoutNulls);

/** Docker's container config: what travels with a container. */
export const containerConfig = {
  Hostname: z.string(),
  Domainname: z.string(),
  User: z.string(),
  AttachStdin: z.boolean(),
  AttachStdout: z.boolean(),
  AttachStderr: z.boolean(),
  Tty: z.boolean(),
  OpenStdin: z.boolean(),
  StdinOnce: z.boolean(),
  Env: strings,
  Cmd: command,
  Entrypoint: command,
  Image: z.string(),
  Volumes: set,
  ExposedPorts: set,
  WorkingDir: z.string(),
  Labels: texts,
  OnBuild: strings,
  StopSignal: z.string(),
  StopTimeout: integer,
  Shell: command,
  Healthcheck: healthcheck,
  NetworkDisabled: z.boolean(),
  MacAddress: z.string(),
};

const device = struct({ PathOnHost: z.string(), PathInContainer: z.string(), CgroupPermissions: z.string() }).transform(
  (given) => ({
    PathOnHost: given.PathOnHost ?? "",
    PathInContainer: given.PathInContainer ?? "",
    CgroupPermissions: given.CgroupPermissions ?? "",
  }),
);
const ulimit = struct({ Name: z.string(), Soft: integer, Hard: integer }).transform((given) => ({
  Name: given.Name ?? "",
  Soft: given.Soft ?? 0,
  Hard: given.Hard ?? 0,
}));
const weight = struct({ Path: z.string(), Weight: integer }).transform((given) => ({
  Path: given.Path ?? "",
  Weight: given.Weight ?? 0,
}));
const throttle = struct({ Path: z.string(), Rate: integer }).transform((given) => ({
  Path: given.Path ?? "",
  Rate: given.Rate ?? 0,
}));

const bindOptions = struct({
  Propagation: z.string(),
  NonRecursive: z.boolean(),
  CreateMountpoint: z.boolean(),
  ReadOnlyNonRecursive: z.boolean(),
  ReadOnlyForceRecursive: z.boolean(),
}).transform(withoutNulls);
const volumeOptions = struct({
  NoCopy: z.boolean(),
  Labels: texts,
  Subpath: z.string(),
  DriverConfig: struct({ Name: z.string(), Options: texts }).transform(withoutNulls),
}).transform(withoutNulls);
const tmpfsOptions = struct({ SizeBytes: integer, Mode: integer, Options: z.array(strings) }).transform(withoutNulls);

const mount = struct({
  Type: z.string(),
  Source: z.string(),
  Target: z.string(),
  ReadOnly: z.boolean(),
  Consistency: z.string(),
  BindOptions: bindOptions,
  VolumeOptions: volumeOptions,
  TmpfsOptions: tmpfsOptions,
}).transform((given) => ({ ...withoutNulls(given), Type: given.Type ?? "", Target: given.Target ?? "" }));

const restartPolicy = struct({ Name: z.string(), MaximumRetryCount: integer }).transform((given) => ({
  Name: given.Name ?? "",
  MaximumRetryCount: given.MaximumRetryCount ?? 0,
}));
const logConfig = struct({ Type: z.string(), Config: texts }).transform((given) => ({
  Type: given.Type ?? "",
  Config: given.Config ?? {},
}));
const secret = struct({
  Source: z.string(),
  Target: z.string(),
  UID: integer.min(0),
  GID: integer.min(0),
  Mode: integer.min(0).max(0o7777),
}).transform((given) => ({
  Source: given.Source ?? "",
  Target: given.Target ?? "",
  UID: given.UID ?? 0,
  GID: given.GID ?? 0,
  Mode: given.Mode ?? 0o444,
}));
const timeOffset = struct({ Secs: integer, Nanosecs: integer }).transform((given) => ({
  Secs: given.Secs ?? 0,
  Nanosecs: given.Nanosecs ?? 0,
}));
const portBinding = struct({ HostIp: z.string(), HostPort: z.string() }).transform(withoutNulls);

const hostConfig = struct({
  Binds: strings,
  ContainerIDFile: z.string(),
  LogConfig: logConfig,
  NetworkMode: z.string(),
  PortBindings: z.record(z.string(), z.array(portBinding).nullable()),
  RestartPolicy: restartPolicy,
  AutoRemove: z.boolean(),
  VolumeDriver: z.string(),
  VolumesFrom: strings,
  ConsoleSize: z.tuple([integer, integer]),
  Annotations: texts,
  Mounts: z.array(mount),
  CapAdd: command,
  CapDrop: command,
  CgroupnsMode: z.string(),
  Dns: strings,
  DnsOptions: strings,
  DnsSearch: strings,
  ExtraHosts: strings,
  GroupAdd: strings,
  IpcMode: z.string(),
  Cgroup: z.string(),
  Links: strings,
  OomScoreAdj: integer,
  PidMode: z.string(),
  Privileged: z.boolean(),
  PublishAllPorts: z.boolean(),
  ReadonlyRootfs: z.boolean(),
  SecurityOpt: strings,
  StorageOpt: texts,
  Tmpfs: texts,
  UTSMode: z.string(),
  UsernsMode: z.string(),
  ShmSize: integer,
  Sysctls: texts,
  Secrets: z.array(secret),
  Runtime: z.string(),
  Isolation: z.string(),
  MaskedPaths: strings,
  ReadonlyPaths: strings,
  Init: z.boolean(),
  CpuShares: integer,
  Memory: integer,
  NanoCpus: integer,
  CgroupParent: z.string(),
  BlkioWeight: integer,
  BlkioWeightDevice: z.array(weight),
  BlkioDeviceReadBps: z.array(throttle),
  BlkioDeviceWriteBps: z.array(throttle),
  BlkioDeviceReadIOps: z.array(throttle),
  BlkioDeviceWriteIOps: z.array(throttle),
  CpuPeriod: integer,
  CpuQuota: integer,
  CpuRealtimePeriod: integer,
  CpuRealtimeRuntime: integer,
  CpusetCpus: z.string(),
  CpusetMems: z.string(),
  Devices: z.array(device),
  DeviceCgroupRules: strings,
  DeviceRequests: z.array(z.record(z.string(), z.unknown())),
  KernelMemory: integer,
  KernelMemoryTCP: integer,
  MemoryReservation: integer,
  MemorySwap: integer,
  MemorySwappiness: integer,
  OomKillDisable: z.boolean(),
  PidsLimit: integer,
  Ulimits: z.array(ulimit),
  CpuCount: integer,
  CpuPercent: integer,
  IOMaximumIOps: integer,
  IOMaximumBandwidth: integer,
  Egress: egress,
  TimeOffsets: struct({ Monotonic: timeOffset, Boottime: timeOffset }).transform(withoutNulls),
});

const body = struct({
  ...containerConfig,
  HostConfig: hostConfig,
  NetworkingConfig: struct({ EndpointsConfig: endpointsConfig }),
});

/** The body of POST /containers/create as the engine takes it; name and platform come from the query. */
export function parseCreateContainer(json: unknown): Pick<CreateRequest, "config" | "hostConfig" | "endpoints"> {
  const empty = typeof json === "object" && json !== null && !Array.isArray(json) && Object.keys(json).length === 0;
  if (json === undefined || json === null || empty) {
    throw new SampanError("invalid", "config cannot be empty in order to create a container");
  }
  const { HostConfig, NetworkingConfig, ...rest } = validateJson(body, json);
  return { config: rest, hostConfig: HostConfig, endpoints: NetworkingConfig?.EndpointsConfig };
}

/** The body of POST /containers/{id}/update: the limits and the restart policy of a HostConfig. */
export function parseUpdateContainer(json: unknown): HostConfigRequest {
  return validateJson(hostConfig, json ?? {});
}

/** Drops members that are null or missing: what is left was said. */
function withoutNulls<T extends object>(given: T): { [K in keyof T]?: Exclude<T[K], null | undefined> } {
  const said = Object.entries(given).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(said) as { [K in keyof T]?: Exclude<T[K], null | undefined> };
}
