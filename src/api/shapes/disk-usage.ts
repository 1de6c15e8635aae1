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

export interface BuildCacheItem {
  readonly ID: string;
  readonly Parents?: readonly string[];
  readonly Type: string;
  readonly Description: string;
  readonly InUse: boolean;
  /** Images stand on it, too. */
  readonly Shared: boolean;
  readonly Size: number;
  readonly CreatedAt: string;
  readonly LastUsedAt: string | null;
  readonly UsageCount: number;
}

/** GET /system/df. What was not asked for by `type` is null. */
export interface DiskUsageResponse {
  /** Bytes of all layers, each counted once. */
  readonly LayersSize?: number;
  readonly Images?: readonly ImageSummary[] | null;
  readonly Containers?: readonly ContainerSummary[] | null;
  readonly Volumes?: readonly Volume[] | null;
  readonly BuildCache?: readonly BuildCacheItem[] | null;
  /** Before API 1.42. */
  readonly BuilderSize?: number;
  readonly ImageUsage?: UsageSummary<ImageSummary>;
  readonly ContainerUsage?: UsageSummary<ContainerSummary>;
  readonly VolumeUsage?: UsageSummary<Volume>;
  readonly BuildCacheUsage?: UsageSummary<BuildCacheItem>;
}
