import type { CacheEntry } from "../../build/types.ts";
import type { BuildCacheItem, UsageSummary } from "../shapes/disk-usage.ts";

/** An entry of the build cache as GET /system/df shows it. */
export function buildCacheItem(entry: CacheEntry): BuildCacheItem {
  const { id, parents, type, description, inUse, shared, size, createdAt, lastUsedAt, usageCount } = entry;
  return {
    ID: id,
    ...(parents.length > 0 && { Parents: parents }),
    Type: type,
    Description: description,
    InUse: inUse,
    Shared: shared,
    Size: size,
    CreatedAt: createdAt,
    LastUsedAt: lastUsedAt === "" ? null : lastUsedAt,
    UsageCount: usageCount,
  };
}

/** Sums over the entries: what images stand on takes no room of its own. */
export function buildCacheSums(all: readonly CacheEntry[], items: boolean): UsageSummary<BuildCacheItem> {
  const sum = (some: readonly CacheEntry[]) => some.reduce((total, { size }) => total + size, 0);
  const own = all.filter(({ shared }) => !shared);
  return {
    ActiveCount: all.filter(({ inUse }) => inUse).length,
    TotalCount: all.length,
    Reclaimable: sum(own.filter(({ inUse }) => !inUse)),
    TotalSize: sum(own),
    ...(items ? { Items: all.map(buildCacheItem) } : {}),
  };
}
