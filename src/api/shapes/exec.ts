/** Docker's JSON of a command run in a container. */

export interface CreateExecRequest {
  readonly Cmd: readonly string[];
  readonly AttachStdin?: boolean;
  readonly AttachStdout?: boolean;
  readonly AttachStderr?: boolean;
  readonly Tty?: boolean;
  readonly DetachKeys?: string;
  readonly Env?: readonly string[];
  readonly Privileged?: boolean;
  readonly User?: string;
  readonly WorkingDir?: string;
  /** Rows and columns. */
  readonly ConsoleSize?: readonly [number, number];
}

export interface CreateExecResponse {
  readonly Id: string;
}

export interface StartExecRequest {
  readonly Detach?: boolean;
  readonly Tty?: boolean;
  readonly ConsoleSize?: readonly [number, number];
}

/** GET /exec/{id}/json. */
export interface ExecInspect {
  readonly ID: string;
  readonly Running: boolean;
  readonly ExitCode: number | null;
  readonly ContainerID: string;
  /** 0 until it has been started. */
  readonly Pid: number;
  readonly CanRemove: boolean;
  readonly DetachKeys: string;
  readonly OpenStdin: boolean;
  readonly OpenStdout: boolean;
  readonly OpenStderr: boolean;
  readonly ProcessConfig: {
    readonly tty: boolean;
    readonly entrypoint: string;
    readonly arguments: readonly string[];
    readonly privileged: boolean;
    readonly user?: string;
  };
}
