/** Docker's JSON of a container: what is sent to create one, and what is answered about it. */
import type { EgressConfig } from "./egress.ts";

export interface Ulimit {
  readonly Name: string;
  readonly Soft: number;
  readonly Hard: number;
}

export interface DeviceMapping {
  readonly PathOnHost: string;
  readonly PathInContainer: string;
  readonly CgroupPermissions: string;
}

/** A limit of a block device: bytes or operations per second. */
export interface ThrottleDevice {
  readonly Path: string;
  readonly Rate: number;
}

export interface WeightDevice {
  readonly Path: string;
  readonly Weight: number;
}

/** Where on the machine a container's port is to be found; "" is the daemon's choice, "8000-8010" any of these. */
export interface PortBindingRequest {
  readonly HostIp?: string | undefined;
  readonly HostPort?: string | undefined;
}

/** Where on the machine a container's port is found. */
export interface PortBinding {
  readonly HostIp: string;
  readonly HostPort: string;
}

export interface BindOptions {
  Propagation?: string | undefined;
  NonRecursive?: boolean | undefined;
  CreateMountpoint?: boolean | undefined;
  ReadOnlyNonRecursive?: boolean | undefined;
  ReadOnlyForceRecursive?: boolean | undefined;
}

export interface TmpfsOptions {
  SizeBytes?: number | undefined;
  /** Permission bits, e.g. 0o1777. */
  Mode?: number | undefined;
}

export interface VolumeOptions {
  NoCopy?: boolean | undefined;
  Labels?: Record<string, string> | undefined;
  Subpath?: string | undefined;
  DriverConfig?: { Name?: string | undefined; Options?: object | undefined } | undefined;
}

/** HostConfig.Mounts: what `--mount` says. */
export interface MountRequest {
  Type: string;
  Source?: string | undefined;
  Target: string;
  ReadOnly?: boolean | undefined;
  Consistency?: string | undefined;
  BindOptions?: BindOptions | undefined;
  VolumeOptions?: VolumeOptions | undefined;
  TmpfsOptions?: TmpfsOptions | undefined;
}

/** How health is probed; times in nanoseconds. */
export interface Healthcheck {
  readonly Test?: readonly string[] | undefined;
  readonly Interval?: number | undefined;
  readonly Timeout?: number | undefined;
  readonly StartPeriod?: number | undefined;
  readonly StartInterval?: number | undefined;
  readonly Retries?: number | undefined;
  /** Sampan's own: what becomes of a container that is unhealthy ("none", "restart", "kill", "stop"). */
  readonly OnFailure?: string | undefined;
}

/** What belongs to the container wherever it runs. */
export interface ContainerConfig {
  Image: string;
  Hostname?: string | undefined;
  Domainname?: string | undefined;
  User?: string | undefined;
  AttachStdin?: boolean | undefined;
  AttachStdout?: boolean | undefined;
  AttachStderr?: boolean | undefined;
  Tty?: boolean | undefined;
  OpenStdin?: boolean | undefined;
  StdinOnce?: boolean | undefined;
  Env?: readonly string[] | null | undefined;
  Cmd?: readonly string[] | null | undefined;
  Entrypoint?: readonly string[] | null | undefined;
  WorkingDir?: string | undefined;
  Labels?: Readonly<Record<string, string>> | null | undefined;
  StopSignal?: string | undefined;
  /** Seconds. */
  StopTimeout?: number | null | undefined;
  Volumes?: Readonly<Record<string, object>> | null | undefined;
  ExposedPorts?: Readonly<Record<string, object>> | null | undefined;
  Healthcheck?: Healthcheck | null | undefined;
  OnBuild?: readonly string[] | null | undefined;
  Shell?: readonly string[] | null | undefined;
  NetworkDisabled?: boolean | null | undefined;
  MacAddress?: string | null | undefined;
}

/** Besides the machine's clock; nanoseconds are always forward. */
export interface TimeOffset {
  readonly Secs: number;
  readonly Nanosecs: number;
}

export interface TimeOffsets {
  readonly Monotonic?: TimeOffset | undefined;
  readonly Boottime?: TimeOffset | undefined;
}

/** What belongs to the machine it runs on. Sizes are bytes, times microseconds unless a name says otherwise. */
export interface HostConfig {
  /** Not Docker's. */
  Egress?: EgressConfig | null | undefined;
  /** Not Docker's. */
  TimeOffsets?: TimeOffsets | null | undefined;
  Binds?: readonly string[] | null | undefined;
  Mounts?: readonly MountRequest[] | undefined;
  Tmpfs?: Readonly<Record<string, string>> | undefined;
  VolumesFrom?: readonly string[] | null | undefined;
  VolumeDriver?: string | undefined;
  NetworkMode?: string | undefined;
  /** By "80/tcp". */
  PortBindings?: Readonly<Record<string, readonly PortBindingRequest[] | null>> | null | undefined;
  PublishAllPorts?: boolean | undefined;
  Links?: readonly string[] | null | undefined;
  AutoRemove?: boolean | undefined;
  ReadonlyRootfs?: boolean | undefined;
  Privileged?: boolean | undefined;
  Init?: boolean | null | undefined;
  CapAdd?: readonly string[] | null | undefined;
  CapDrop?: readonly string[] | null | undefined;
  SecurityOpt?: readonly string[] | null | undefined;
  GroupAdd?: readonly string[] | null | undefined;
  Devices?: readonly DeviceMapping[] | null | undefined;
  Ulimits?: readonly Ulimit[] | null | undefined;
  Memory?: number | undefined;
  MemorySwap?: number | undefined;
  MemoryReservation?: number | undefined;
  /** Billionths of a CPU. */
  NanoCpus?: number | undefined;
  CpuShares?: number | undefined;
  CpuQuota?: number | undefined;
  CpuPeriod?: number | undefined;
  CpusetCpus?: string | undefined;
  CpusetMems?: string | undefined;
  PidsLimit?: number | null | undefined;
  BlkioWeight?: number | undefined;
  BlkioWeightDevice?: readonly WeightDevice[] | null | undefined;
  BlkioDeviceReadBps?: readonly ThrottleDevice[] | null | undefined;
  BlkioDeviceWriteBps?: readonly ThrottleDevice[] | null | undefined;
  BlkioDeviceReadIOps?: readonly ThrottleDevice[] | null | undefined;
  BlkioDeviceWriteIOps?: readonly ThrottleDevice[] | null | undefined;
  DeviceCgroupRules?: readonly string[] | null | undefined;
  /** 0 to 100; -1 for the machine's. */
  MemorySwappiness?: number | null | undefined;
  OomKillDisable?: boolean | null | undefined;
  OomScoreAdj?: number | undefined;
  ShmSize?: number | undefined;
  CgroupParent?: string | undefined;
  CgroupnsMode?: string | undefined;
  IpcMode?: string | undefined;
  Isolation?: string | undefined;
  PidMode?: string | undefined;
  UTSMode?: string | undefined;
  UsernsMode?: string | undefined;
  Sysctls?: Readonly<Record<string, string>> | undefined;
  /** Sampan's own: secrets that are mounted in the container, by name or id. */
  Secrets?: readonly SecretReference[] | undefined;
  StorageOpt?: Readonly<Record<string, string>> | undefined;
  Runtime?: string | undefined;
  Dns?: readonly string[] | null | undefined;
  DnsOptions?: readonly string[] | null | undefined;
  DnsSearch?: readonly string[] | null | undefined;
  ExtraHosts?: readonly string[] | null | undefined;
  LogConfig?: { readonly Type: string; readonly Config: Readonly<Record<string, string>> } | undefined;
  RestartPolicy?: { readonly Name: string; readonly MaximumRetryCount: number } | undefined;
  ContainerIDFile?: string | undefined;
  Annotations?: Readonly<Record<string, string>> | undefined;
  /** Rows and columns of the terminal at creation. */
  ConsoleSize?: readonly [number, number] | undefined;
}

export interface CreateContainerRequest extends ContainerConfig {
  HostConfig?: HostConfig | undefined;
  /** By name or id of the network. */
  NetworkingConfig?: { readonly EndpointsConfig: Readonly<Record<string, EndpointSettingsRequest>> } | undefined;
}

/** How a container is to be joined to one network. */
export interface EndpointSettingsRequest {
  IPAMConfig?: EndpointIpamConfig | undefined;
  Links?: readonly string[] | undefined;
  Aliases?: readonly string[] | undefined;
  MacAddress?: string | undefined;
  DriverOpts?: Readonly<Record<string, string>> | undefined;
  /** Of all networks of a container that with the highest has its default route. */
  GwPriority?: number | undefined;
}

/** Addresses asked for; the daemon chooses those that are absent. */
export interface EndpointIpamConfig {
  IPv4Address?: string | undefined;
  IPv6Address?: string | undefined;
  LinkLocalIPs?: readonly string[] | undefined;
}

export interface CreateContainerResponse {
  readonly Id: string;
  readonly Warnings: readonly string[];
}

export interface MountPoint {
  readonly Type: string;
  readonly Name?: string;
  readonly Source: string;
  readonly Destination: string;
  readonly Mode: string;
  readonly RW: boolean;
  readonly Propagation: string;
}

export interface Port {
  readonly IP?: string;
  readonly PrivatePort: number;
  readonly PublicPort?: number;
  readonly Type: string;
}

/** One row of GET /containers/json. */
export interface ContainerSummary {
  readonly Id: string;
  /** With a leading slash. */
  readonly Names: readonly string[];
  readonly Image: string;
  readonly ImageID: string;
  readonly Command: string;
  /** Unix seconds. */
  readonly Created: number;
  readonly Ports: readonly Port[];
  readonly SizeRw?: number;
  readonly SizeRootFs?: number;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly State: string;
  readonly Status: string;
  readonly HostConfig: { readonly NetworkMode: string };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, EndpointSettings>> };
  readonly Mounts: readonly MountPoint[];
}

export interface ContainerState {
  readonly Status: "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";
  readonly Running: boolean;
  readonly Paused: boolean;
  readonly Restarting: boolean;
  readonly OOMKilled: boolean;
  readonly Dead: boolean;
  readonly Pid: number;
  readonly ExitCode: number;
  readonly Error: string;
  readonly StartedAt: string;
  readonly FinishedAt: string;
  /** Absent where nothing is probed. */
  readonly Health?: Health;
}

export interface Health {
  readonly Status: "starting" | "healthy" | "unhealthy";
  readonly FailingStreak: number;
  readonly Log:
    | readonly {
        readonly Start: string;
        readonly End: string;
        readonly ExitCode: number;
        readonly Output: string;
      }[]
    | null;
}

/** How a container is joined to one network. */
export interface EndpointSettings {
  readonly IPAMConfig: object | null;
  readonly Links: readonly string[] | null;
  readonly Aliases: readonly string[] | null;
  readonly MacAddress: string;
  readonly DriverOpts: Readonly<Record<string, string>> | null;
  readonly GwPriority: number;
  readonly NetworkID: string;
  readonly EndpointID: string;
  readonly Gateway: string;
  readonly IPAddress: string;
  readonly IPPrefixLen: number;
  readonly IPv6Gateway: string;
  readonly GlobalIPv6Address: string;
  readonly GlobalIPv6PrefixLen: number;
  readonly DNSNames: readonly string[] | null;
}

export interface NetworkSettings {
  readonly Bridge: string;
  readonly SandboxID: string;
  readonly SandboxKey: string;
  readonly Ports: Readonly<Record<string, readonly PortBinding[] | null>>;
  readonly HairpinMode: boolean;
  readonly LinkLocalIPv6Address: string;
  readonly LinkLocalIPv6PrefixLen: number;
  readonly SecondaryIPAddresses: null;
  readonly SecondaryIPv6Addresses: null;
  readonly EndpointID: string;
  readonly Gateway: string;
  readonly GlobalIPv6Address: string;
  readonly GlobalIPv6PrefixLen: number;
  readonly IPAddress: string;
  readonly IPPrefixLen: number;
  readonly IPv6Gateway: string;
  readonly MacAddress: string;
  readonly Networks: Readonly<Record<string, EndpointSettings>>;
}

/** GET /containers/{id}/json. */
export interface ContainerInspect {
  readonly Id: string;
  readonly Created: string;
  readonly Path: string;
  readonly Args: readonly string[];
  readonly State: ContainerState;
  /** The image's id. */
  readonly Image: string;
  readonly ResolvConfPath: string;
  readonly HostnamePath: string;
  readonly HostsPath: string;
  readonly MountLabel: string;
  readonly ProcessLabel: string;
  readonly AppArmorProfile: string;
  readonly GraphDriver: { readonly Name: string; readonly Data: Readonly<Record<string, string>> | null };
  readonly NetworkSettings: NetworkSettings;
  /** With a leading slash. */
  readonly Name: string;
  readonly RestartCount: number;
  readonly Driver: string;
  readonly Platform: string;
  readonly ExecIDs: readonly string[] | null;
  readonly HostConfig: HostConfig;
  readonly Mounts: readonly MountPoint[];
  readonly Config: ContainerConfig;
  readonly LogPath: string;
  readonly SizeRw?: number;
  readonly SizeRootFs?: number;
}

/** POST /containers/{id}/wait. */
export interface WaitResponse {
  readonly StatusCode: number;
  readonly Error?: { readonly Message: string } | null;
}

/** POST /sampan/explain: the container's program, without starting anything. */
export interface ExplainResponse {
  readonly text: string;
  readonly steps: readonly object[];
}

/** POST /containers/prune. */
export interface PruneContainersResponse {
  readonly ContainersDeleted: readonly string[] | null;
  /** Bytes. */
  readonly SpaceReclaimed: number;
}

/** GET /containers/{id}/top. */
export interface TopResponse {
  readonly Titles: readonly string[];
  readonly Processes: readonly (readonly string[])[];
}

/** POST /containers/{id}/update: what may be changed, and 0, "" or nothing for what stays. */
export type UpdateContainerRequest = Pick<
  HostConfig,
  | "BlkioWeight"
  | "CpuShares"
  | "NanoCpus"
  | "CpuPeriod"
  | "CpuQuota"
  | "CpusetCpus"
  | "CpusetMems"
  | "Memory"
  | "MemorySwap"
  | "MemoryReservation"
  | "PidsLimit"
  | "RestartPolicy"
>;

export interface UpdateContainerResponse {
  readonly Warnings: readonly string[] | null;
}

/** A secret of a container: a file in memory. */
export interface SecretReference {
  readonly Source: string;
  /** Absolute, or a name below /run/secrets; the secret's name when left out. */
  readonly Target?: string | undefined;
  readonly UID?: number | undefined;
  readonly GID?: number | undefined;
  /** Permission bits; 0444 when left out. */
  readonly Mode?: number | undefined;
}
