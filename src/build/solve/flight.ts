import type { Flight } from "../../images/shared.ts";
import type { NewResult } from "../cache/cache.ts";
import type { LogEvent } from "../progress/types.ts";
import type { Job } from "./job.ts";
import { type BuiltLayer, topOf } from "./stack.ts";
import { Workspace } from "./workspace.ts";

/** A step that makes a layer. */
export interface LayerStep {
  readonly key: string;
  /** What else it is carried out with: builds that agree in this, too, do it once. Nothing of it is kept. */
  readonly circumstances: string;
  /** Works on the new layer; it is committed afterwards. Of `job` the signal and what is told are the flight's. */
  perform(workspace: Workspace, job: Job): Promise<void>;
}

/** What a flight is about. */
export interface WantedStep {
  readonly step: LayerStep;
  readonly origin: Omit<NewResult, "result">;
  /** What the cache knows does not count. */
  readonly isFresh: boolean;
}

/** The layer that a step has made. */
export interface MadeLayer {
  readonly layer: BuiltLayer;
  readonly created: number;
  /** Another build had ended it just now. */
  readonly cached: boolean;
}

/** One build that follows a step. */
export interface Follower {
  tell(event: Pick<LogEvent, "stream" | "data">): void;
  /** What is to be waited for before more is told. */
  ready(): Promise<void> | undefined;
}

/** What of a step's output is told to builds that join later, in UTF-16 code units. */
const remembered = 256 * 1024;
const clipped = { stream: "stderr", data: "[output clipped]\n" } as const;

/**
 * A step that is being carried out, once for all builds that want it at the time. It works with what the first of them has
 * brought: that one keeps it until `done`, even when it does not want the step any more itself.
 */
export class StepFlight implements Flight {
  readonly done: Promise<MadeLayer>;
  readonly #job: Job;
  readonly #hold: Job["hold"];
  readonly #followers = new Map<Follower, { missed: boolean }>();
  readonly #said: Pick<LogEvent, "stream" | "data">[] = [];
  #over = false;
  #size = 0;
  #forgot = false;

  constructor(job: Job, wanted: WantedStep, signal: AbortSignal) {
    this.#hold = job.parts.tools.garbage.hold();
    this.#job = {
      ...job,
      hold: this.#hold,
      signal,
      emit: (event) => {
        if (event.type === "log") this.#tell({ stream: event.stream, data: event.data });
      },
      ready: () => this.#ready(),
    };
    this.done = this.#carryOut(wanted).finally(() => {
      this.#over = true;
    });
    this.done.catch(() => undefined);
  }

  get isOver(): boolean {
    return this.#over;
  }

  /** Tells what the step has said so far, and what it says from now on, until the answer is called. */
  follow(follower: Follower): () => void {
    if (this.#forgot) follower.tell(clipped);
    for (const said of this.#said) follower.tell(said);
    this.#followers.set(follower, { missed: false });
    return () => this.#followers.delete(follower);
  }

  /** Nobody needs the flight any more; what it made is its followers' or nobody's. */
  async end(): Promise<void> {
    await this.#job.parts.tools.garbage.release(this.#hold, false);
  }

  async #carryOut({ step, origin, isFresh }: WantedStep): Promise<MadeLayer> {
    const { parts, cache, epoch, rewritesTimes, signal } = this.#job;
    const { key, parent } = origin;
    // The flight of before may have landed since the cache was asked.
    const known = isFresh ? undefined : await cache.find(key, parent, this.#hold);
    if (known !== undefined) return { layer: topOf(known.stack), created: known.created, cached: true };
    await using workspace = await Workspace.open(parts, parent);
    await step.perform(workspace, this.#job);
    const result = await workspace.commit(this.#hold, signal, rewritesTimes ? epoch : undefined);
    const created = await cache.insert({ ...origin, result }, this.#hold);
    return { layer: topOf(result), created, cached: false };
  }

  #tell(said: Pick<LogEvent, "stream" | "data">): void {
    this.#said.push(said);
    this.#size += said.data.length;
    while (this.#size > remembered) {
      this.#size -= this.#said.shift()?.data.length ?? 0;
      this.#forgot = true;
    }
    for (const [follower, state] of this.#followers) {
      // Who does not read must not keep others waiting, and what waits for him is not gathered here.
      if (this.#followers.size > 1 && follower.ready() !== undefined) state.missed = true;
      else {
        if (state.missed) follower.tell(clipped);
        state.missed = false;
        follower.tell(said);
      }
    }
  }

  /** As soon as one of them reads. */
  #ready(): Promise<void> | undefined {
    const waiting: Promise<void>[] = [];
    for (const follower of this.#followers.keys()) {
      const ready = follower.ready();
      if (ready === undefined) return undefined;
      waiting.push(ready);
    }
    return waiting.length === 0 ? undefined : Promise.race(waiting);
  }
}
