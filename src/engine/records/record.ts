import type { Platform } from "../../images/types.ts";
import type { Endpoint, PublishedPort } from "../../network/types.ts";
import type { LayerRef } from "../../storage/snapshots/types.ts";
import type { ContainerConfig, EndpointSettings, HostConfig } from "../config.ts";
import type { ContainerMount } from "../mounts/types.ts";
import type { ContainerHealth, ContainerStatus } from "../types.ts";
import type { RecordedUsers } from "../users/users.ts";

/**
 * What was decided when a container was created, as the database keeps it. Its name, the networks it is joined to, and what
 * `docker update` changes of its host config are all that ever changes.
 */
export interface ContainerRecord {
  /** 64 hex digits. */
  readonly id: string;
  /** Without a slash. */
  readonly name: string;
  /** Unix nanoseconds. */
  readonly createdAt: bigint;
  readonly imageId: string;
  readonly platform: Platform;
  /** Bottom first. Kept, so that a container starts even if its image's name has moved on. */
  readonly layers: readonly LayerRef[];
  readonly path: string;
  readonly args: readonly string[];
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  /** Absent: the machine's. */
  readonly users?: RecordedUsers;
  /** The networks it is joined to whenever it runs, by name. Empty when it uses another container's. */
  readonly endpoints: Readonly<Record<string, EndpointSettings>>;
  readonly mounts: readonly ContainerMount[];
}

/** What happens to a container, written whenever it changes. Times are Unix nanoseconds, 0 for never. */
export interface RecordedState {
  readonly status: ContainerStatus;
  /** In the machine's PID namespace; 0 when not running. */
  readonly pid: number;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly error: string;
  readonly startedAt: bigint;
  readonly finishedAt: bigint;
  /** How often it has been started: names the files of one life, so that those of two never meet. */
  readonly starts: number;
  /** How often the restart policy has started it since somebody did. */
  readonly restarts: number;
  /** Milliseconds that the restart policy waited the last time. */
  readonly backOff?: number | undefined;
  /** What networks have given it, while it runs. */
  readonly network?: RecordedNetwork | undefined;
  /** Where it is probed. */
  readonly health?: Omit<ContainerHealth, "log"> | undefined;
  /** Somebody asked for its end: no policy but `always` at a daemon's start brings it back. */
  readonly stopped: boolean;
}

/** A running container's part in its networks: a daemon that has just started rebuilds pools, ports and names from it. */
export interface RecordedNetwork {
  readonly endpoints: readonly Endpoint[];
  readonly ports: readonly PublishedPort[];
  /** See `SandboxState`. */
  readonly reservedApart?: boolean | undefined;
}

export const newborn: RecordedState = {
  status: "created",
  pid: 0,
  exitCode: 0,
  oomKilled: false,
  error: "",
  startedAt: 0n,
  finishedAt: 0n,
  starts: 0,
  restarts: 0,
  stopped: false,
};
