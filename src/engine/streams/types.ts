import type { Duplex } from "node:stream";

export interface AttachOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Replay the log first. */
  readonly logs?: boolean | undefined;
  /** Follow what comes; with neither `logs` nor `stream` nothing is sent. */
  readonly stream: boolean;
  /** Docker's syntax; "ctrl-p,ctrl-q" when absent. */
  readonly detachKeys?: string | undefined;
}

export type JoinEnd = "ended" | "detached";

/** The right to talk to a process, given out before the HTTP answer so that a refusal can still be a status code. */
export interface Attachment {
  /** Raw bytes; else Docker's frames of 8-byte headers. */
  readonly tty: boolean;
  /**
   * Connects `client` (the hijacked socket, its answer already written) and resolves when the process has ended, the
   * client has left, or typed the detach keys. Then everything has been written and `client` has been ended. Never rejects
   * for what the process or the client do: a start that fails is told in the stream, as dockerd does.
   */
  join(client: Duplex): Promise<JoinEnd>;
}

/** Rows and columns. */
export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}
