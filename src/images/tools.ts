import type { RegistryClient } from "../registry/client.ts";
import type { Garbage } from "./garbage.ts";
import type { LayerFlight, LayerTools } from "./layer.ts";
import type { ImageRecords } from "./records.ts";
import type { Settling } from "./settling.ts";
import type { Shared } from "./shared.ts";
import type { Slots } from "./slots.ts";

/** What pulling and loading work with; one set per image store. */
export interface ImageTools extends LayerTools {
  readonly records: ImageRecords;
  readonly garbage: Garbage;
  readonly flights: Shared<LayerFlight>;
  readonly registry: RegistryClient;
  readonly uploads: Slots;
  readonly settling: Settling;
  /** Brings index.json in step with the records. */
  syncIndex(): Promise<void>;
}
