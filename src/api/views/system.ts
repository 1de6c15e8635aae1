import type { EngineInfo, EngineVersion } from "../../engine/types.ts";
import { type ApiVersion, latestVersion, oldestVersion, versionNumber } from "../http/versions.ts";
import type { InfoResponse, VersionResponse } from "../shapes/system.ts";
import { graphDriver } from "./graph-driver.ts";

const v1_25 = versionNumber("1.25");
const v1_42 = versionNumber("1.42");
const v1_50 = versionNumber("1.50");

/** GET /version. GoVersion is a part of the shape; what we are written for is Node. */
export function versionResponse(version: EngineVersion): VersionResponse {
  return {
    Platform: { Name: "Sampan" },
    Components: [
      {
        Name: "Engine",
        Version: version.version,
        Details: {
          ApiVersion: latestVersion,
          Arch: version.arch,
          BuildTime: version.buildTime,
          Experimental: "false",
          GitCommit: version.gitCommit,
          GoVersion: version.nodeVersion,
          KernelVersion: version.kernelVersion,
          MinAPIVersion: oldestVersion,
          Os: version.os,
        },
      },
    ],
    Version: version.version,
    ApiVersion: latestVersion,
    MinAPIVersion: oldestVersion,
    GitCommit: version.gitCommit,
    GoVersion: version.nodeVersion,
    Os: version.os,
    Arch: version.arch,
    KernelVersion: version.kernelVersion,
    BuildTime: version.buildTime,
  };
}

/** What GET /info tells besides the engine's own knowledge. */
export interface Surroundings {
  readonly version: EngineVersion;
  readonly apiVersion: ApiVersion;
  readonly now: Date;
  readonly openFiles: number;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** GET /info. */
export function infoResponse(info: EngineInfo, around: Surroundings): InfoResponse {
  return {
    ID: info.id,
    Containers: info.containers,
    ContainersRunning: info.running,
    ContainersPaused: info.paused,
    ContainersStopped: info.stopped,
    Images: info.images,
    Driver: graphDriver.Name,
    DriverStatus: [
      ["Backing Filesystem", info.backingFilesystem],
      ["Supports d_type", "true"],
      ["Using metacopy", "false"],
      ["Native Overlay Diff", "true"],
      ["userxattr", "false"],
      ...storageLimits(info),
    ],
    Plugins: {
      Volume: ["local"],
      Network: ["bridge", "host", "ipvlan", "macvlan", "null"],
      Authorization: null,
      Log: ["journald", "json-file", "local", "syslog"],
    },
    ...limits(info),
    Debug: false,
    NFd: around.openFiles,
    NGoroutines: 1,
    SystemTime: around.now.toISOString(),
    LoggingDriver: "json-file",
    CgroupDriver: "cgroupfs",
    CgroupVersion: info.cgroupVersion,
    NEventsListener: info.eventListeners,
    KernelVersion: around.version.kernelVersion,
    OperatingSystem: info.operatingSystem,
    OSVersion: info.osVersion,
    OSType: "linux",
    Architecture: info.machine,
    IndexServerAddress: "https://index.docker.io/v1/",
    RegistryConfig: registries(info),
    NCPU: info.cpus,
    MemTotal: info.memory,
    GenericResources: null,
    DockerRootDir: info.root,
    HttpProxy: withoutCredentials(around.env.HTTP_PROXY ?? around.env.http_proxy),
    HttpsProxy: withoutCredentials(around.env.HTTPS_PROXY ?? around.env.https_proxy),
    NoProxy: around.env.NO_PROXY ?? around.env.no_proxy ?? "",
    Name: info.name,
    Labels: [],
    ExperimentalBuild: false,
    ServerVersion: around.version.version,
    ...fixed,
    SecurityOptions: around.apiVersion < v1_25 ? info.securityOptions.map(withoutKeys) : info.securityOptions,
    ...removedMembers(around.apiVersion),
    Warnings: info.warnings.length === 0 ? null : info.warnings,
    DefaultNetwork: info.defaultNetwork,
  };
}

/** Sampan's own: dockerd does not tell them. */
function storageLimits({ projectQuotas, layerLimit }: EngineInfo): [string, string][] {
  const limit: [string, string][] = layerLimit === undefined ? [] : [["Size", `${layerLimit}`]];
  return projectQuotas ? [["Project Quotas", "true"], ...limit] : [];
}

/** What later versions do not tell any more. */
function removedMembers(version: ApiVersion): object {
  return {
    ...(version < v1_42 ? { KernelMemory: false } : {}),
    ...(version < v1_50 ? { BridgeNfIptables: false, BridgeNfIp6tables: false } : {}),
  };
}

/** The URL of a proxy, a name and password in it made unreadable as dockerd does. */
export function withoutCredentials(url = ""): string {
  return url.replace(/^(\w+:\/\/)?[^/]*@/, (_, scheme = "") => `${scheme}xxxxx:xxxxx@`);
}

/** Before 1.25 "name=seccomp,profile=builtin" was "seccomp". */
function withoutKeys(option: string): string {
  return /^name=([^,]*)/.exec(option)?.[1] ?? option;
}

function limits(info: EngineInfo) {
  return {
    MemoryLimit: info.memoryLimit,
    SwapLimit: info.swapLimit,
    CpuCfsPeriod: info.cpuLimits,
    CpuCfsQuota: info.cpuLimits,
    CPUShares: info.cpuLimits,
    CPUSet: info.cpuset,
    PidsLimit: info.pidsLimit,
    OomKillDisable: info.oomKillDisable,
    IPv4Forwarding: info.ipv4Forwarding,
  };
}

function registries(info: EngineInfo): InfoResponse["RegistryConfig"] {
  const hub = { Name: "docker.io", Mirrors: info.mirrors, Secure: true, Official: true };
  const insecure = info.insecureRegistries.map((name) => [
    name,
    { Name: name, Mirrors: [], Secure: false, Official: false },
  ]);
  return {
    InsecureRegistryCIDRs: ["::1/128", "127.0.0.0/8"],
    IndexConfigs: { "docker.io": hub, ...Object.fromEntries(insecure) },
    Mirrors: info.mirrors.length === 0 ? null : info.mirrors,
  };
}

/** Programs and clusters that others have and we do not. */
const fixed = {
  Runtimes: { sampan: { path: "sampan" } },
  DefaultRuntime: "sampan",
  Swarm: {
    NodeID: "",
    NodeAddr: "",
    LocalNodeState: "inactive",
    ControlAvailable: false,
    Error: "",
    RemoteManagers: null,
  },
  FirewallBackend: { Driver: "nftables" },
  LiveRestoreEnabled: true,
  Isolation: "",
  InitBinary: "sampan",
  ContainerdCommit: { ID: "" },
  RuncCommit: { ID: "" },
  InitCommit: { ID: "" },
  CDISpecDirs: [],
} as const;
