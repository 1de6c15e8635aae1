import type { Hold } from "../../images/garbage.ts";
import type { Shared } from "../../images/shared.ts";
import type { Platform, StoredImage } from "../../images/types.ts";
import type { StepCache } from "../cache/cache.ts";
import type { CacheMounts } from "../cache/mounts.ts";
import type { ImportedCache } from "../exchange/import.ts";
import type { ContextTree } from "../files/context-tree.ts";
import type { RunLimits } from "../host.ts";
import type { WorkParts } from "../parts.ts";
import type { Plan } from "../plan/types.ts";
import type { BuildEvent } from "../progress/types.ts";
import type { ContextParts } from "./bind-layers.ts";
import type { StepFlight } from "./flight.ts";
import type { Stack } from "./stack.ts";

/** What the steps of one build have in common. */
export interface Job {
  readonly parts: WorkParts;
  readonly plan: Plan;
  readonly cache: StepCache;
  /** Steps that are carried out now, of all builds. */
  readonly flights: Shared<StepFlight>;
  /** What was built elsewhere. */
  readonly imported: ImportedCache;
  readonly mounts: CacheMounts;
  /** Everything the build has made or uses stays until its end. */
  readonly hold: Hold;
  readonly signal: AbortSignal;
  /** Whether results of earlier builds are not used, or the names of the stages of which. */
  readonly noCache: boolean | readonly string[];
  readonly contexts: ReadonlyMap<string, ContextTree>;
  /** By `imageKey`: images that are here already. */
  readonly images: Map<string, StoredImage>;
  /** Brings an image here. */
  image(reference: string, platform: Platform, step: string): Promise<StoredImage>;
  readonly secrets: ReadonlyMap<string, Uint8Array>;
  /** Sockets of agents, by id. */
  readonly agents: ReadonlyMap<string, string>;
  readonly limits: RunLimits;
  /** What RUNs that name no network use. */
  readonly network: string;
  /** What RUNs mount of its contexts. */
  readonly contextParts: ContextParts;
  /** Where things of this build lie while it runs. */
  readonly scratch: string;
  /** Seconds since 1970: what is made has no later time than this. */
  readonly epoch: number | undefined;
  /** The same for the files of its layers. */
  readonly rewritesTimes: boolean;
  emit(event: BuildEvent): void;
  /** See `BuildRequest`. */
  ready(): Promise<void> | undefined;
}

/** What a vertex has come to. */
export interface Outcome {
  readonly stack: Stack;
  /** When it was made, in milliseconds since 1970; undefined for what was not made here. */
  readonly created: number | undefined;
  readonly cached: boolean;
}
