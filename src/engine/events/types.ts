export type EventType = "container" | "image" | "network" | "volume" | "daemon";

/** Something that happened, as Docker tells it. */
export interface EngineEvent {
  readonly type: EventType;
  /** "create", "start", "exec_start: sh -c true", … */
  readonly action: string;
  readonly actor: {
    /** A container's id, an image's name or id. */
    readonly id: string;
    readonly attributes: Readonly<Record<string, string>>;
  };
  /** Unix nanoseconds. */
  readonly timeNano: bigint;
}

export interface EventLog {
  /** Calls `listener` for everything that happens from now on; the answer ends that. */
  subscribe(listener: (event: EngineEvent) => void): () => void;
  /** How many listen. */
  readonly listeners: number;
  /** How many events there have been since the daemon's start. */
  readonly total: number;
  /** What is still remembered (the last 256), oldest first. */
  recent(): readonly EngineEvent[];
}
