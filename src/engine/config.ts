/**
 * The two halves of what a container is asked to be, in the vocabulary of the Docker Engine API (as image configs are in
 * OCI's): `ContainerConfig` travels with the container, `HostConfig` belongs to the machine. Both are complete here: the
 * requests, where everything may be left out or null, are filled in by `normalise.ts`.
 */
import type { Healthcheck } from "../images/types.ts";
import type { EgressConfig } from "./egress/types.ts";
import type { SecretReference } from "./secrets/types.ts";

export interface ContainerConfig {
  readonly Hostname: string;
  readonly Domainname: string;
  readonly User: string;
  readonly AttachStdin: boolean;
  readonly AttachStdout: boolean;
  readonly AttachStderr: boolean;
  readonly Tty: boolean;
  readonly OpenStdin: boolean;
  readonly StdinOnce: boolean;
  readonly Env: readonly string[];
  readonly Cmd: readonly string[] | null;
  readonly Entrypoint: readonly string[] | null;
  /** As it was asked for; the image's id is in the record. */
  readonly Image: string;
  readonly Volumes: Readonly<Record<string, object>> | null;
  readonly ExposedPorts?: Readonly<Record<string, object>> | undefined;
  readonly WorkingDir: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly OnBuild: readonly string[] | null;
  readonly StopSignal?: string | undefined;
  /** Seconds; negative: wait for ever. */
  readonly StopTimeout?: number | undefined;
  readonly Shell?: readonly string[] | undefined;
  readonly Healthcheck?: Healthcheck | undefined;
  readonly NetworkDisabled?: boolean | undefined;
  readonly MacAddress?: string | undefined;
}

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

export interface RestartPolicy {
  readonly Name: string;
  readonly MaximumRetryCount: number;
}

export interface LogConfig {
  readonly Type: string;
  readonly Config: Readonly<Record<string, string>>;
}

export interface PortBinding {
  readonly HostIp?: string | undefined;
  readonly HostPort?: string | undefined;
}

export interface WeightDevice {
  readonly Path: string;
  readonly Weight: number;
}

export interface ThrottleDevice {
  readonly Path: string;
  readonly Rate: number;
}

/** HostConfig.Mounts: what `--mount` says. */
export interface MountRequest {
  readonly Type: string;
  readonly Source?: string | undefined;
  readonly Target: string;
  readonly ReadOnly?: boolean | undefined;
  readonly Consistency?: string | undefined;
  readonly BindOptions?:
    | {
        readonly Propagation?: string | undefined;
        readonly NonRecursive?: boolean | undefined;
        readonly CreateMountpoint?: boolean | undefined;
        readonly ReadOnlyNonRecursive?: boolean | undefined;
        readonly ReadOnlyForceRecursive?: boolean | undefined;
      }
    | undefined;
  readonly VolumeOptions?:
    | {
        readonly NoCopy?: boolean | undefined;
        readonly Labels?: Readonly<Record<string, string>> | undefined;
        readonly Subpath?: string | undefined;
        readonly DriverConfig?:
          | {
              readonly Name?: string | undefined;
              readonly Options?: Readonly<Record<string, string>> | undefined;
            }
          | undefined;
      }
    | undefined;
  readonly TmpfsOptions?:
    | {
        readonly SizeBytes?: number | undefined;
        /** Permission bits, e.g. 0o1777. */
        readonly Mode?: number | undefined;
        readonly Options?: readonly (readonly string[])[] | undefined;
      }
    | undefined;
}

/** cgroup limits and devices. Bytes and microseconds; 0 or null: no limit. */
export interface HostResources {
  readonly CpuShares: number;
  readonly Memory: number;
  /** Billionths of a CPU. */
  readonly NanoCpus: number;
  readonly CgroupParent: string;
  readonly BlkioWeight: number;
  readonly BlkioWeightDevice: readonly WeightDevice[] | null;
  readonly BlkioDeviceReadBps: readonly ThrottleDevice[] | null;
  readonly BlkioDeviceWriteBps: readonly ThrottleDevice[] | null;
  readonly BlkioDeviceReadIOps: readonly ThrottleDevice[] | null;
  readonly BlkioDeviceWriteIOps: readonly ThrottleDevice[] | null;
  readonly CpuPeriod: number;
  readonly CpuQuota: number;
  readonly CpuRealtimePeriod: number;
  readonly CpuRealtimeRuntime: number;
  readonly CpusetCpus: string;
  readonly CpusetMems: string;
  readonly Devices: readonly DeviceMapping[] | null;
  readonly DeviceCgroupRules: readonly string[] | null;
  readonly DeviceRequests: readonly object[] | null;
  readonly KernelMemory: number;
  readonly KernelMemoryTCP: number;
  readonly MemoryReservation: number;
  /** Memory and swap together; -1: swap without limit. */
  readonly MemorySwap: number;
  readonly MemorySwappiness: number | null;
  readonly OomKillDisable: boolean | null;
  readonly PidsLimit: number | null;
  readonly Ulimits: readonly Ulimit[] | null;
  readonly CpuCount: number;
  readonly CpuPercent: number;
  readonly IOMaximumIOps: number;
  readonly IOMaximumBandwidth: number;
}

/** Before or after the machine's clock, as in the OCI specification; nanoseconds are always forward. */
export interface TimeOffset {
  readonly Secs: number;
  readonly Nanosecs: number;
}

export interface TimeOffsetsConfig {
  readonly Monotonic?: TimeOffset | undefined;
  readonly Boottime?: TimeOffset | undefined;
}

export interface HostConfig extends HostResources {
  readonly Binds: readonly string[] | null;
  readonly ContainerIDFile: string;
  readonly LogConfig: LogConfig;
  readonly NetworkMode: string;
  readonly PortBindings: Readonly<Record<string, readonly PortBinding[] | null>> | null;
  readonly RestartPolicy: RestartPolicy;
  readonly AutoRemove: boolean;
  readonly VolumeDriver: string;
  readonly VolumesFrom: readonly string[] | null;
  /** Rows and columns of the terminal. */
  readonly ConsoleSize: readonly [number, number];
  readonly Annotations?: Readonly<Record<string, string>> | undefined;
  readonly Mounts?: readonly MountRequest[] | undefined;
  readonly CapAdd: readonly string[] | null;
  readonly CapDrop: readonly string[] | null;
  readonly CgroupnsMode: string;
  readonly Dns: readonly string[] | null;
  readonly DnsOptions: readonly string[] | null;
  readonly DnsSearch: readonly string[] | null;
  readonly ExtraHosts: readonly string[] | null;
  readonly GroupAdd: readonly string[] | null;
  readonly IpcMode: string;
  readonly Cgroup: string;
  readonly Links: readonly string[] | null;
  readonly OomScoreAdj: number;
  readonly PidMode: string;
  readonly Privileged: boolean;
  readonly PublishAllPorts: boolean;
  readonly ReadonlyRootfs: boolean;
  readonly SecurityOpt: readonly string[] | null;
  readonly StorageOpt?: Readonly<Record<string, string>> | undefined;
  readonly Tmpfs?: Readonly<Record<string, string>> | undefined;
  readonly UTSMode: string;
  readonly UsernsMode: string;
  readonly ShmSize: number;
  readonly Sysctls?: Readonly<Record<string, string>> | undefined;
  /** Sampan's own; what they hold is in nobody's record. */
  readonly Secrets?: readonly SecretReference[] | undefined;
  readonly Runtime: string;
  readonly Isolation: string;
  readonly MaskedPaths: readonly string[] | null;
  readonly ReadonlyPaths: readonly string[] | null;
  readonly Init: boolean | null;
  /** How its clocks differ from the machine's. Not Docker's. */
  readonly TimeOffsets?: TimeOffsetsConfig | undefined;
  /** What it may reach; anything when absent. Not Docker's. */
  readonly Egress?: EgressConfig | undefined;
}

/** A shape of which everything may be missing or null: what clients send. */
export type Loose<T> = { readonly [K in keyof T]?: T[K] | null | undefined };

export type ContainerConfigRequest = Loose<ContainerConfig>;
export type HostConfigRequest = Loose<HostConfig>;

/** What a container asks of a network's address management: addresses it is always to have. */
export interface EndpointIpam {
  readonly IPv4Address?: string | undefined;
  readonly IPv6Address?: string | undefined;
  readonly LinkLocalIPs?: readonly string[] | undefined;
}

/**
 * How a container is joined to one network (NetworkingConfig.EndpointsConfig, POST /networks/{id}/connect): the part of
 * Docker's EndpointSettings that is asked for. What a network then gives is `Endpoint` of network/types.ts.
 */
export interface EndpointSettings {
  readonly IPAMConfig: EndpointIpam | null;
  /** "container" or "container:alias". */
  readonly Links: readonly string[] | null;
  readonly Aliases: readonly string[] | null;
  /** "" when the network is to choose. */
  readonly MacAddress: string;
  readonly DriverOpts: Readonly<Record<string, string>> | null;
  readonly GwPriority: number;
  /** Of the network that was meant when the container was created or connected: names can be given again. */
  readonly NetworkID: string;
}

export type EndpointSettingsRequest = Loose<EndpointSettings>;

/** The body and query of POST /containers/create. */
export interface CreateRequest {
  /** Without a slash in front; made up when absent or "". */
  readonly name?: string | undefined;
  /** "os/arch[/variant]"; the machine's own when absent. */
  readonly platform?: string | undefined;
  readonly config: ContainerConfigRequest;
  readonly hostConfig?: HostConfigRequest | null | undefined;
  /** What is to be told whoever asks: of translating the request, for the engine has none of its own in mind. */
  readonly warnings?: readonly string[] | undefined;
  /** By name or id of the network. */
  readonly endpoints?: Readonly<Record<string, EndpointSettingsRequest | null>> | null | undefined;
}
