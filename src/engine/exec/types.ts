import type { Attachment, TerminalSize } from "../streams/types.ts";

export interface ExecRequest {
  readonly cmd: readonly string[];
  readonly attachStdin?: boolean | undefined;
  readonly attachStdout?: boolean | undefined;
  readonly attachStderr?: boolean | undefined;
  readonly tty?: boolean | undefined;
  readonly detachKeys?: string | undefined;
  readonly env?: readonly string[] | undefined;
  readonly privileged?: boolean | undefined;
  readonly user?: string | undefined;
  readonly workingDir?: string | undefined;
  readonly consoleSize?: TerminalSize | undefined;
}

export interface ExecView {
  readonly id: string;
  readonly containerId: string;
  readonly running: boolean;
  /** null until it has ended. */
  readonly exitCode: number | null;
  /** 0 until it has been started. */
  readonly pid: number;
  readonly canRemove: boolean;
  readonly detachKeys: string;
  readonly openStdin: boolean;
  readonly openStdout: boolean;
  readonly openStderr: boolean;
  readonly process: {
    readonly tty: boolean;
    readonly entrypoint: string;
    readonly arguments: readonly string[];
    readonly privileged: boolean;
    readonly user: string;
  };
}

/** "not-found": "No such exec instance: x". An exec stays inspectable as long as its container is here and this daemon runs. */
export interface Execs {
  /** "conflict" when the container does not run. */
  create(container: string, request: ExecRequest): string;
  /** Starts it with nobody attached. "conflict" when it has been started before. */
  start(id: string, options?: { readonly consoleSize?: TerminalSize | undefined }): Promise<void>;
  /** Starts it when joined. */
  attach(
    id: string,
    options?: { readonly tty?: boolean | undefined; readonly consoleSize?: TerminalSize | undefined },
  ): Attachment;
  get(id: string): ExecView;
  resize(id: string, size: TerminalSize): Promise<void>;
}
