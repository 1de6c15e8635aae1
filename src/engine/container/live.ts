import type { Sandbox } from "../../network/networking.ts";
import type { ResolvedUser, Running } from "../../runtime/types.ts";
import type { HealthMonitor } from "../health/health.ts";
import type { LogReader } from "../logs/read.ts";
import type { ContainerRecord, RecordedState } from "../records/record.ts";
import { rfc3339 } from "../time.ts";
import type { ContainerState, HealthResult, WaitResult } from "../types.ts";
import type { ContainerFiles } from "./files.ts";
import { Lock } from "./lock.ts";
import type { PendingStart } from "./pending-start.ts";

/** Somebody who attached before the start, and is connected before the first byte comes. */
export interface PendingAttach {
  begin(running: Running): Promise<void>;
  /** There will be no start. */
  cancel(): void;
}

/** A container while this daemon runs: its record, its process, and who waits for what. */
export class Container {
  record: ContainerRecord;
  state: RecordedState;
  readonly files: ContainerFiles;
  /** Set while its first process runs. */
  running: Running | undefined;
  /** When its process's end has been noted. */
  ended: Promise<void> | undefined;
  /** Probes its health while it runs. */
  health: HealthMonitor | undefined;
  /** The last probes, of earlier lives, too; oldest first. */
  healthLog: readonly HealthResult[] = [];
  /** Its part in its networks while it runs; none when it uses another container's. */
  sandbox: Sandbox | undefined;
  /** A start by the restart policy that is yet to come. */
  pendingStart: PendingStart | undefined;
  removed = false;
  /** Its end is only half of a restart: it is neither removed nor started by a policy. */
  beingRestarted = false;
  /** Who its process was started as; unknown after this daemon found it running. */
  user: ResolvedUser | undefined;
  /** start, stop, remove and the like never overlap. */
  readonly lock = new Lock();
  readonly pendingAttaches = new Set<PendingAttach>();
  /** Who reads its log now. */
  readonly logReaders = new Set<LogReader>();
  /** How many clients its output goes to now. */
  attached = 0;
  readonly execIds = new Set<string>();
  readonly #exitWaiters = new Set<(result: WaitResult) => void>();
  readonly #removalWaiters = new Set<(result: WaitResult) => void>();

  constructor(record: ContainerRecord, state: RecordedState, files: ContainerFiles) {
    this.record = record;
    this.state = state;
    this.files = files;
  }

  get id(): string {
    return this.record.id;
  }

  /** Without a start, nobody who waits for one will be connected. */
  cancelAttaches(): void {
    for (const pending of this.pendingAttaches) pending.cancel();
    this.pendingAttaches.clear();
  }

  get isRunning(): boolean {
    return this.running !== undefined;
  }

  /** Runs, or is between two lives. */
  get isLive(): boolean {
    return this.isRunning || this.state.status === "restarting";
  }

  /** Resolves at the next exit of its process. */
  nextExit(signal?: AbortSignal): Promise<WaitResult> {
    return waitIn(this.#exitWaiters, signal);
  }

  /** Resolves once it is removed. */
  removal(signal?: AbortSignal): Promise<WaitResult> {
    return waitIn(this.#removalWaiters, signal);
  }

  tellExit(): void {
    wake(this.#exitWaiters, { exitCode: this.state.exitCode });
  }

  /** As dockerd, without why a start failed: that is the answer to the start, and clients would print it twice. */
  tellRemoval(): void {
    const result = { exitCode: this.state.exitCode };
    wake(this.#removalWaiters, result);
    wake(this.#exitWaiters, result);
  }

  /** The state as the API tells it. */
  view(): ContainerState {
    const { status, pid, exitCode, oomKilled, error, startedAt, finishedAt, health } = this.state;
    return {
      status,
      running: status === "running" || status === "paused" || status === "restarting",
      paused: status === "paused",
      restarting: status === "restarting",
      dead: status === "dead",
      pid,
      exitCode,
      oomKilled,
      error,
      startedAt: rfc3339(startedAt),
      finishedAt: rfc3339(finishedAt),
      ...(health && { health: { ...health, log: this.healthLog } }),
    };
  }
}

function waitIn(waiters: Set<(result: WaitResult) => void>, signal: AbortSignal | undefined): Promise<WaitResult> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      waiters.delete(done);
      reject(signal?.reason);
    };
    const done = (result: WaitResult) => {
      signal?.removeEventListener("abort", stop);
      resolve(result);
    };
    if (signal?.aborted) return reject(signal.reason);
    signal?.addEventListener("abort", stop, { once: true });
    waiters.add(done);
  });
}

function wake(waiters: Set<(result: WaitResult) => void>, result: WaitResult): void {
  const all = [...waiters];
  waiters.clear();
  for (const waiter of all) waiter(result);
}
