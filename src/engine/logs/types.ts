export interface LogOptions {
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Lines; all when absent. */
  readonly tail?: number | undefined;
  /** Unix nanoseconds. */
  readonly since?: bigint | undefined;
  readonly until?: bigint | undefined;
  readonly timestamps?: boolean | undefined;
  /** Prefix every line with the labels and variables that the log driver's options name. */
  readonly details?: boolean | undefined;
  /** Until the container ends. */
  readonly follow?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface LogReading {
  readonly tty: boolean;
  /** Resolves when the container may be removed without a loss; rejects when the log cannot be read, and so do the chunks. */
  readonly opened: Promise<void>;
  /** To be read whatever comes, or to be returned from, after which nothing is open. Ready for the wire: Docker's frames, raw for a terminal. Each is valid until the next is asked for. */
  readonly chunks: AsyncIterable<Uint8Array>;
}
