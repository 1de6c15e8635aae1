import type { Cgroups } from "../cgroups/types.ts";
import type { ImageStore } from "../images/types.ts";
import type { Executor } from "../kernel/executor.ts";
import type { Networking } from "../network/networking.ts";
import type { NetworkingOptions } from "../network/options.ts";
import type { KernelFeatures } from "../runtime/start.ts";
import type { Runtime } from "../runtime/types.ts";
import type { Layout } from "../storage/layout.ts";
import type { SnapshotStore } from "../storage/snapshots/types.ts";
import type { Discards } from "./container/discards.ts";
import type { EgressLog } from "./egress/log.ts";
import type { Events } from "./events/log.ts";
import type { HealthChecks } from "./health/checks.ts";
import type { LogShipping } from "./logs/shipping.ts";
import type { Registry } from "./records/registry.ts";
import type { Machine } from "./request/limits.ts";
import type { LayerStorage } from "./request/storage-options.ts";
import type { Ceilings } from "./request/ulimits.ts";
import type { SecretStore } from "./secrets/store.ts";
import type { EngineLog } from "./types.ts";
import type { UserIds } from "./users/users.ts";
import type { Volumes } from "./volumes/volumes.ts";

/** What the engine is composed of. */
export interface EngineParts {
  readonly layout: Layout;
  readonly log: EngineLog;
  readonly registry: Registry;
  readonly events: Events;
  readonly egress: EgressLog;
  readonly health: HealthChecks;
  readonly shipping: LogShipping;
  readonly images: ImageStore;
  readonly snapshots: SnapshotStore;
  readonly discards: Discards;
  readonly executor: Executor;
  readonly kernel: KernelFeatures;
  readonly runtime: Runtime;
  readonly cgroups: Cgroups;
  readonly users: UserIds;
  readonly volumes: Volumes;
  readonly secrets: SecretStore;
  readonly networking: Networking;
  /** What the daemon's command line says about networks. */
  readonly networkDefaults: NetworkingOptions;
  readonly layerStorage: LayerStorage;
  readonly machine: Machine;
  readonly ceilings: Ceilings;
}
