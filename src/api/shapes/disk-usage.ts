import type { ContainerSummary } from "./container.ts";
import type { ImageSummary } from "./image.ts";
import type { Volume } from "./volume.ts";

/** What there is of one kind, how much is in use, and what prune would give back. API 1.52 and newer. */
export interface UsageSummary<T> {
  readonly ActiveCount: number;
  readonly TotalCount: number;
  /** Bytes. */
  readonly Reclaimable: number;
  readonly TotalSize: number;
  /** With `verbose`. */
  readonly Items?: readonly T[];
}

/** GET /system/df. What was not asked for by `type` is null. */
export interface DiskUsageResponse {
  /** Bytes of all layers, each counted once. */
  readonly LayersSize?: number;
  readonly Images?: readonly ImageSummary[] | null;
  readonly Containers?: readonly ContainerSummary[] | null;
  readonly Volumes?: readonly Volume[] | null;
  readonly BuildCache?: readonly object[] | null;
  /** Before API 1.42. */
  readonly BuilderSize?: number;
  readonly ImageUsage?: UsageSummary<ImageSummary>;
  readonly ContainerUsage?: UsageSummary<ContainerSummary>;
  readonly VolumeUsage?: UsageSummary<Volume>;
  readonly BuildCacheUsage?: UsageSummary<object>;
}
