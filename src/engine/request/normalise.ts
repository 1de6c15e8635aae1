import { defaultMaskedPaths, defaultReadonlyPaths } from "../../runtime/system-paths.ts";
import type { ContainerConfig, ContainerConfigRequest, HostConfig, HostConfigRequest } from "../config.ts";

const defaultShmSize = 64 * 1024 * 1024;

/** Fills in everything a client may leave out. The image's share comes later (`merge.ts`). */
export function normaliseConfig(request: ContainerConfigRequest): ContainerConfig {
  const given = withoutEmpty(request);
  return {
    ...given,
    Hostname: given.Hostname ?? "",
    Domainname: given.Domainname ?? "",
    User: given.User ?? "",
    AttachStdin: given.AttachStdin ?? false,
    AttachStdout: given.AttachStdout ?? false,
    AttachStderr: given.AttachStderr ?? false,
    Tty: given.Tty ?? false,
    OpenStdin: given.OpenStdin ?? false,
    StdinOnce: given.StdinOnce ?? false,
    Env: given.Env ?? [],
    Cmd: given.Cmd ?? null,
    Entrypoint: given.Entrypoint ?? null,
    Image: given.Image ?? "",
    Volumes: given.Volumes ?? null,
    WorkingDir: given.WorkingDir ?? "",
    Labels: given.Labels ?? {},
    OnBuild: given.OnBuild ?? null,
  };
}

/** As above for the machine's half, with dockerd's defaults, as `inspect` shows them. */
export function normaliseHostConfig(request: HostConfigRequest): HostConfig {
  const given = withoutEmpty(request);
  const [rows = 0, columns = 0] = given.ConsoleSize ?? [];
  return { ...given, ...resourcesOf(given), ...isolationOf(given), ...placesOf(given), ConsoleSize: [rows, columns] };
}

type Given = ReturnType<typeof withoutEmpty<HostConfig>>;

function resourcesOf(given: Given) {
  return {
    CpuShares: given.CpuShares ?? 0,
    Memory: given.Memory ?? 0,
    NanoCpus: given.NanoCpus ?? 0,
    CgroupParent: given.CgroupParent ?? "",
    BlkioWeight: given.BlkioWeight ?? 0,
    BlkioWeightDevice: given.BlkioWeightDevice ?? null,
    BlkioDeviceReadBps: given.BlkioDeviceReadBps ?? null,
    BlkioDeviceWriteBps: given.BlkioDeviceWriteBps ?? null,
    BlkioDeviceReadIOps: given.BlkioDeviceReadIOps ?? null,
    BlkioDeviceWriteIOps: given.BlkioDeviceWriteIOps ?? null,
    CpuPeriod: given.CpuPeriod ?? 0,
    CpuQuota: given.CpuQuota ?? 0,
    CpuRealtimePeriod: given.CpuRealtimePeriod ?? 0,
    CpuRealtimeRuntime: given.CpuRealtimeRuntime ?? 0,
    CpusetCpus: given.CpusetCpus ?? "",
    CpusetMems: given.CpusetMems ?? "",
    Devices: given.Devices ?? null,
    DeviceCgroupRules: given.DeviceCgroupRules ?? null,
    DeviceRequests: given.DeviceRequests ?? null,
    KernelMemory: given.KernelMemory ?? 0,
    KernelMemoryTCP: given.KernelMemoryTCP ?? 0,
    MemoryReservation: given.MemoryReservation ?? 0,
    MemorySwap: given.MemorySwap ?? 0,
    MemorySwappiness: given.MemorySwappiness === -1 ? null : (given.MemorySwappiness ?? null),
    OomKillDisable: given.OomKillDisable ?? null,
    PidsLimit: given.PidsLimit ?? null,
    Ulimits: given.Ulimits ?? null,
    CpuCount: given.CpuCount ?? 0,
    CpuPercent: given.CpuPercent ?? 0,
    IOMaximumIOps: given.IOMaximumIOps ?? 0,
    IOMaximumBandwidth: given.IOMaximumBandwidth ?? 0,
  };
}

function isolationOf(given: Given) {
  const privileged = given.Privileged ?? false;
  const unmasked = privileged || (given.SecurityOpt ?? []).includes("systempaths=unconfined");
  return {
    CapAdd: given.CapAdd ?? null,
    CapDrop: given.CapDrop ?? null,
    CgroupnsMode: given.CgroupnsMode || "private",
    GroupAdd: given.GroupAdd ?? null,
    IpcMode: given.IpcMode || "private",
    Cgroup: given.Cgroup ?? "",
    OomScoreAdj: given.OomScoreAdj ?? 0,
    PidMode: given.PidMode ?? "",
    Privileged: privileged,
    SecurityOpt: given.SecurityOpt ?? null,
    UTSMode: given.UTSMode ?? "",
    UsernsMode: given.UsernsMode ?? "",
    Runtime: given.Runtime || "sampan",
    Isolation: given.Isolation ?? "",
    MaskedPaths: unmasked ? null : (given.MaskedPaths ?? defaultMaskedPaths),
    ReadonlyPaths: unmasked ? null : (given.ReadonlyPaths ?? defaultReadonlyPaths),
    Init: given.Init ?? null,
  };
}

function placesOf(given: Given) {
  return {
    Binds: given.Binds ?? null,
    ContainerIDFile: given.ContainerIDFile ?? "",
    LogConfig: { Type: given.LogConfig?.Type || "json-file", Config: given.LogConfig?.Config ?? {} },
    NetworkMode: given.NetworkMode || "default",
    PortBindings: given.PortBindings ?? null,
    RestartPolicy: restartPolicy(given.RestartPolicy),
    AutoRemove: given.AutoRemove ?? false,
    VolumeDriver: given.VolumeDriver ?? "",
    VolumesFrom: given.VolumesFrom ?? null,
    Dns: given.Dns ?? null,
    DnsOptions: given.DnsOptions ?? null,
    DnsSearch: given.DnsSearch ?? null,
    ExtraHosts: given.ExtraHosts ?? null,
    Links: given.Links ?? null,
    PublishAllPorts: given.PublishAllPorts ?? false,
    ReadonlyRootfs: given.ReadonlyRootfs ?? false,
    ShmSize: given.ShmSize || defaultShmSize,
  };
}

/** What "default" means to this daemon; `inspect` shows that, as dockerd's does. */
export function withDefaultNetwork(host: HostConfig, usual: string): HostConfig {
  return host.NetworkMode === "default" ? { ...host, NetworkMode: usual } : host;
}

function restartPolicy(asked: HostConfig["RestartPolicy"] | undefined): HostConfig["RestartPolicy"] {
  return { Name: asked?.Name || "no", MaximumRetryCount: asked?.MaximumRetryCount ?? 0 };
}

/** Null and absent are one in Go's JSON. */
function withoutEmpty<T>(request: { readonly [K in keyof T]?: T[K] | null | undefined }): {
  [K in keyof T]?: NonNullable<T[K]>;
} {
  const present = Object.entries(request).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(present) as { [K in keyof T]?: NonNullable<T[K]> };
}
