/** Docker's JSON of a container: what is sent to create one, and what is answered about it. */

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

export interface BindOptions {
  Propagation?: string;
  NonRecursive?: boolean;
  CreateMountpoint?: boolean;
  ReadOnlyNonRecursive?: boolean;
  ReadOnlyForceRecursive?: boolean;
}

export interface TmpfsOptions {
  SizeBytes?: number;
  /** Permission bits, e.g. 0o1777. */
  Mode?: number;
}

/** HostConfig.Mounts: what `--mount` says. */
export interface MountRequest {
  Type: "bind" | "tmpfs";
  Source?: string;
  Target: string;
  ReadOnly?: boolean;
  Consistency?: string;
  BindOptions?: BindOptions;
  TmpfsOptions?: TmpfsOptions;
}

/** What belongs to the container wherever it runs. */
export interface ContainerConfig {
  Image: string;
  Hostname?: string;
  Domainname?: string;
  User?: string;
  AttachStdin?: boolean;
  AttachStdout?: boolean;
  AttachStderr?: boolean;
  Tty?: boolean;
  OpenStdin?: boolean;
  StdinOnce?: boolean;
  Env?: readonly string[] | null;
  Cmd?: readonly string[] | null;
  Entrypoint?: readonly string[] | null;
  WorkingDir?: string;
  Labels?: Readonly<Record<string, string>> | null;
  StopSignal?: string;
  /** Seconds. */
  StopTimeout?: number | null;
  Volumes?: Readonly<Record<string, object>> | null;
  ExposedPorts?: Readonly<Record<string, object>> | null;
  Healthcheck?: { readonly Test: readonly string[] };
}

/** What belongs to the machine it runs on. Sizes are bytes, times microseconds unless a name says otherwise. */
export interface HostConfig {
  Binds?: readonly string[] | null;
  Mounts?: readonly MountRequest[];
  Tmpfs?: Readonly<Record<string, string>>;
  NetworkMode?: string;
  AutoRemove?: boolean;
  ReadonlyRootfs?: boolean;
  Privileged?: boolean;
  Init?: boolean | null;
  CapAdd?: readonly string[] | null;
  CapDrop?: readonly string[] | null;
  SecurityOpt?: readonly string[] | null;
  GroupAdd?: readonly string[] | null;
  Devices?: readonly DeviceMapping[];
  Ulimits?: readonly Ulimit[];
  Memory?: number;
  MemorySwap?: number;
  MemoryReservation?: number;
  /** Billionths of a CPU. */
  NanoCpus?: number;
  CpuShares?: number;
  CpuQuota?: number;
  CpuPeriod?: number;
  CpusetCpus?: string;
  CpusetMems?: string;
  PidsLimit?: number | null;
  BlkioWeight?: number;
  OomScoreAdj?: number;
  ShmSize?: number;
  CgroupParent?: string;
  CgroupnsMode?: string;
  IpcMode?: string;
  PidMode?: string;
  UTSMode?: string;
  Dns?: readonly string[];
  DnsOptions?: readonly string[];
  DnsSearch?: readonly string[];
  ExtraHosts?: readonly string[] | null;
  LogConfig?: { readonly Type: string; readonly Config: Readonly<Record<string, string>> };
  RestartPolicy?: { readonly Name: string; readonly MaximumRetryCount: number };
  ContainerIDFile?: string;
  Annotations?: Readonly<Record<string, string>>;
  /** Rows and columns of the terminal at creation. */
  ConsoleSize?: readonly [number, number];
}

export interface CreateContainerRequest extends ContainerConfig {
  HostConfig?: HostConfig;
}

export interface CreateContainerResponse {
  readonly Id: string;
  readonly Warnings: readonly string[] | null;
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
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, object>> };
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
}

/** GET /containers/{id}/json, the part that clients rely on. */
export interface ContainerInspect {
  readonly Id: string;
  readonly Created: string;
  readonly Path: string;
  readonly Args: readonly string[];
  readonly State: ContainerState;
  /** The image's id. */
  readonly Image: string;
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
