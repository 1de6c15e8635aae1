/**
 * What the API calls. Everything that comes in is a typed action, everything that goes out is plain data; Docker's JSON
 * and its versions are the API's business. Errors are `SampanError`s whose texts are dockerd's where clients match them.
 *
 * A container has three types: the stored record (`records/record.ts`), the live object (`container/live.ts`), and what the API
 * makes of `ContainerView`.
 */
import type { Builder } from "../build/types.ts";
import type { Platform } from "../images/types.ts";
import type { NetworkingOptions } from "../network/options.ts";
import type { Layout } from "../storage/layout.ts";
import type { Files } from "./archive/types.ts";
import type { ContainerConfig, CreateRequest, HostConfig, HostConfigRequest } from "./config.ts";
import type { EgressRecord } from "./egress/types.ts";
import type { EventLog } from "./events/types.ts";
import type { Execs } from "./exec/types.ts";
import type { ContainerHealth } from "./health/types.ts";
import type { Images } from "./images/types.ts";
import type { LogOptions, LogReading } from "./logs/types.ts";
import type { ContainerNetworkView, Networks } from "./networks/types.ts";
import type { Owners } from "./owners/owners.ts";
import type { Secrets } from "./secrets/types.ts";
import type { Stats } from "./stats/types.ts";
import type { Attachment, AttachOptions, TerminalSize } from "./streams/types.ts";
import type { EngineInfo, EngineVersion } from "./system/types.ts";
import type { Remap } from "./users/remap.ts";
import type { EngineVolumes } from "./volumes/types.ts";

export type * from "./archive/types.ts";
export type * from "./config.ts";
export type * from "./egress/types.ts";
export type * from "./events/types.ts";
export type * from "./exec/types.ts";
export type * from "./health/types.ts";
export type * from "./images/types.ts";
export type * from "./logs/types.ts";
export type * from "./networks/types.ts";
export type * from "./secrets/types.ts";
export type * from "./stats/types.ts";
export type * from "./streams/types.ts";
export type * from "./system/types.ts";
export type * from "./volumes/types.ts";

/** Where an id or a name is wanted: the full id, a unique prefix of it, or the name with or without a slash. */
export type ContainerReference = string;

export type ContainerStatus = "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";

/** Times are RFC 3339 with nanoseconds, "0001-01-01T00:00:00Z" for never. */
export interface ContainerState {
  readonly status: ContainerStatus;
  readonly running: boolean;
  readonly paused: boolean;
  readonly restarting: boolean;
  readonly oomKilled: boolean;
  readonly dead: boolean;
  /** In the machine's PID namespace; 0 when not running. */
  readonly pid: number;
  readonly exitCode: number;
  /** Why the last start failed; "" when it did not. */
  readonly error: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  /** Absent where nothing is probed. */
  readonly health?: ContainerHealth | undefined;
}

export interface MountPoint {
  readonly Type: string;
  readonly Name?: string;
  readonly Source: string;
  readonly Destination: string;
  readonly Driver?: string;
  readonly Mode: string;
  readonly RW: boolean;
  readonly Propagation: string;
}

/** A container as seen at one moment. */
export interface ContainerView {
  /** 64 hex digits. */
  readonly id: string;
  /** Without a slash. */
  readonly name: string;
  /** RFC 3339 with nanoseconds. */
  readonly createdAt: string;
  /** "sha256:…" of the image's config. */
  readonly imageId: string;
  /** The image as it was asked for. */
  readonly image: string;
  readonly platform: Platform;
  /** The executable and its arguments, after entrypoint and command were put together. */
  readonly path: string;
  readonly args: readonly string[];
  readonly state: ContainerState;
  /** "Up 2 hours", "Exited (0) 3 minutes ago": the STATUS column. */
  readonly statusText: string;
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly network: ContainerNetworkView;
  /** "80/tcp": that it says it listens at, or that are published. */
  readonly exposedPorts: readonly string[];
  readonly mounts: readonly MountPoint[];
  readonly restartCount: number;
  readonly execIds: readonly string[];
  readonly logPath: string;
  readonly hostnamePath: string;
  readonly hostsPath: string;
  readonly resolvConfPath: string;
}

export interface ContainerSize {
  /** Bytes in the container's own layer. */
  readonly rw: number;
  /** Those and the image's. */
  readonly rootFs: number;
}

/** Docker's filters: all keys must match, one value of a key is enough. */
export type Filters = Readonly<Record<string, readonly string[]>>;

export interface ListOptions {
  /** Those that do not run, too. */
  readonly all?: boolean | undefined;
  /** The newest n, running or not. */
  readonly limit?: number | undefined;
  /** ancestor, before, since, exited, id, label, name, status, volume, network, health, expose, publish, is-task. */
  readonly filters?: Filters | undefined;
}

export interface CreateResult {
  readonly id: string;
  readonly warnings: readonly string[];
}

export type WaitCondition = "not-running" | "next-exit" | "removed";

export interface WaitResult {
  readonly exitCode: number;
}

export interface StopOptions {
  /** Name or number; the container's own when absent. */
  readonly signal?: string | undefined;
  /** Seconds before SIGKILL; negative: never. The container's own, else 10, when absent. */
  readonly timeout?: number | undefined;
}

export interface RemoveContainerOptions {
  /** Kill it first when it runs. */
  readonly force?: boolean | undefined;
  /** Its anonymous volumes, too. */
  readonly volumes?: boolean | undefined;
}

/** Every method but `list` throws or rejects with "not-found" ("No such container: x") when there is no such container. */
export interface Containers {
  /** "not-found" when the image is not here (clients then pull it), "conflict" when the name is taken. */
  create(request: CreateRequest): Promise<CreateResult>;
  /** "not-modified" when it runs already. Rejects with dockerd's text when the process cannot be started. */
  start(reference: ContainerReference, options?: { readonly consoleSize?: TerminalSize | undefined }): Promise<void>;
  get(reference: ContainerReference): ContainerView;
  /** Newest first. */
  list(options?: ListOptions): ContainerView[];
  sizes(reference: ContainerReference): Promise<ContainerSize>;
  /** Throws before `result` exists, so that headers can be sent at once. `result` rejects ("cancelled") with `signal`. */
  wait(
    reference: ContainerReference,
    options?: { readonly condition?: WaitCondition | undefined; readonly signal?: AbortSignal | undefined },
  ): { readonly result: Promise<WaitResult> };
  /** Before a start, too: `join` then waits for it, and not a byte is lost. */
  attach(reference: ContainerReference, options: AttachOptions): Attachment;
  logs(reference: ContainerReference, options: LogOptions): LogReading;
  /** "not-modified" when it does not run. */
  stop(reference: ContainerReference, options?: StopOptions): Promise<void>;
  restart(reference: ContainerReference, options?: StopOptions): Promise<void>;
  /** SIGKILL when no signal is named; "conflict" when it does not run. */
  kill(reference: ContainerReference, signal?: string): Promise<void>;
  /** "conflict" when it does not run. */
  resize(reference: ContainerReference, size: TerminalSize): Promise<void>;
  rename(reference: ContainerReference, name: string): void;
  /** Freezes all its processes; "conflict" when it does not run or is paused. */
  pause(reference: ContainerReference): Promise<void>;
  unpause(reference: ContainerReference): Promise<void>;
  /**
   * Changes limits and restart policy; of one that runs, at once. What is 0, "" or absent stays. "conflict" for what
   * contradicts what holds already, "invalid" for what no kernel takes, "unsupported" for what this one lacks.
   */
  update(reference: ContainerReference, changes: HostConfigRequest): Promise<{ readonly warnings: readonly string[] }>;
  /** What its egress policy has refused: the last of it, and with `follow` what comes, until it is removed. */
  egress(
    reference: ContainerReference,
    options?: { readonly follow?: boolean | undefined; readonly signal?: AbortSignal | undefined },
  ): AsyncIterable<EgressRecord>;
  /** Its processes, as ps(1) shows them; "-ef" when `psArguments` is "". */
  top(reference: ContainerReference, psArguments: string): ProcessTable;
  remove(reference: ContainerReference, options?: RemoveContainerOptions): Promise<void>;
  /** Removes those that do not run and that `wanted` takes. */
  prune(wanted: (container: ContainerView) => boolean): Promise<PrunedContainers>;
}

export interface PrunedContainers {
  readonly ids: readonly string[];
  /** Bytes. */
  readonly reclaimed: number;
}

/** As `ps` shows processes: a heading per column, a cell per column and process. */
export interface ProcessTable {
  readonly titles: readonly string[];
  readonly processes: readonly (readonly string[])[];
}

export interface Explanation {
  /** For people: grouped by concept, a sentence and the literal call per line. */
  readonly text: string;
  /** For programs. */
  readonly steps: readonly object[];
}

/** The part of a pino logger that the engine needs. */
export interface EngineLog {
  error(object: object, message: string): void;
  warn(object: object, message: string): void;
  debug(object: object, message: string): void;
}

/** What the daemon gives `openEngine` of open.ts, which composes everything below and resolves when it can be used. */
export interface EngineOptions {
  /** Its directories are there. */
  readonly layout: Layout;
  readonly log: EngineLog;
  /** "host", "host:port" or "network/bits" that may be spoken to without verified TLS. */
  readonly insecureRegistries?: readonly string[] | undefined;
  /** Directory with the configuration of registries. */
  readonly registryConfig?: string | undefined;
  /** Per registry domain, hosts to ask first. */
  readonly mirrors?: Readonly<Record<string, readonly string[]>> | undefined;
  /** The users that containers have of their own; the machine's when absent. */
  readonly usersRemap?: Remap | undefined;
  /** Bytes that a container's writable layer may hold unless it says otherwise. */
  readonly layerLimit?: number | undefined;
  /** `defaultNetworking` when absent. */
  readonly networking?: NetworkingOptions | undefined;
}

export interface Engine {
  readonly containers: Containers;
  readonly owners: Owners;
  readonly execs: Execs;
  readonly images: Images;
  readonly networks: Networks;
  readonly volumes: EngineVolumes;
  readonly files: Files;
  readonly secrets: Secrets;
  readonly builds: Builder;
  readonly stats: Stats;
  readonly events: EventLog;
  info(): EngineInfo;
  version(): EngineVersion;
  /** The program of the container that would be started; nothing is started or kept. */
  explain(request: CreateRequest): Promise<Explanation>;
  /** Containers that run or restart: while there is one an idle daemon must not leave. */
  busy(): boolean;
  /** Leaves; containers go on running. */
  close(): Promise<void>;
}
