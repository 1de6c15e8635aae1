import type { DatabaseSync } from "node:sqlite";
import type { ImageTools } from "../images/tools.ts";
import type { ImageStore } from "../images/types.ts";
import type { Executor } from "../kernel/executor.ts";
import type { KernelFeatures } from "../runtime/start.ts";
import type { Runtime } from "../runtime/types.ts";
import type { Layout } from "../storage/layout.ts";
import type { SnapshotStore } from "../storage/snapshots/types.ts";
import type { BuildHost } from "./host.ts";

/** What the builder is composed of: the stores of images and containers are its own. */
export interface BuilderParts {
  readonly layout: Layout;
  readonly db: DatabaseSync;
  readonly executor: Executor;
  readonly kernel: KernelFeatures;
  readonly runtime: Pick<Runtime, "resolveUser">;
  readonly snapshots: SnapshotStore;
  readonly images: ImageStore;
  readonly host: BuildHost;
  readonly log: { warn(object: object, message: string): void };
}

/** With what images are made with, which is loaded when the first build begins. */
export interface WorkParts extends BuilderParts {
  readonly tools: ImageTools;
}
