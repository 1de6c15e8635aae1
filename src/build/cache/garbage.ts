import { statfs } from "node:fs/promises";
import type { Shared } from "../../images/shared.ts";
import type { ChainId, Digest } from "../../storage/digest.ts";
import type { WorkParts } from "../parts.ts";
import type { StepFlight } from "../solve/flight.ts";
import type { CacheEntry, PruneRequest, PruneResult } from "../types.ts";
import type { StepCache } from "./cache.ts";
import type { CacheMounts } from "./mounts.ts";
import type { CacheRecord, MountRecord } from "./records.ts";

/** What works on the cache as a whole. */
export interface CacheCare {
  readonly parts: WorkParts;
  readonly cache: StepCache;
  readonly mounts: CacheMounts;
  /** Steps that are carried out now. */
  readonly flights: Shared<StepFlight>;
}

/** The cache may take a tenth of the disk, and always this many bytes. */
const leastBudget = 2 * 1024 ** 3;
const share = 10;

/** All entries, what was used last first. */
export function usageOf({ parts, cache, mounts: directories }: CacheCare): CacheEntry[] {
  const { records } = cache;
  const all = records.all();
  const byChain = new Map(all.map((record) => [record.chain, record.key]));
  const imageLayers = new Set(
    parts.images.list().flatMap(({ layers }) => layers.map(({ chainId }) => chainId as string)),
  );
  const steps = all.map((record): CacheEntry => {
    const parent = byChain.get(record.parent);
    return {
      ...entryOf(record, cache.isUsed(record.key)),
      id: record.key,
      parents: parent === undefined ? [] : [parent],
      type: "regular",
      description: record.description,
      shared: imageLayers.has(record.chain),
    };
  });
  const mounts = records.mounts().map((record): CacheEntry => {
    const more = {
      parents: [],
      type: "exec.cachemount",
      description: `cached mount ${record.id}`,
      shared: false,
    } as const;
    return { ...entryOf(record, directories.isUsed(record.id)), id: directories.nameOf(record.id), ...more };
  });
  return [...steps, ...mounts].sort((a, b) => (a.lastUsedAt < b.lastUsedAt ? 1 : -1));
}

function entryOf({ size, created, used, uses }: CacheRecord | MountRecord, inUse: boolean) {
  const times = {
    createdAt: new Date(created).toISOString(),
    lastUsedAt: uses === 0 ? "" : new Date(used).toISOString(),
  };
  return { inUse, size, ...times, usageCount: uses };
}

/** Removes entries, those that nobody has used for longest first, until no more than `keepStorage` bytes stay. */
export async function pruneCache(care: CacheCare, request: PruneRequest): Promise<PruneResult> {
  const entries = usageOf(care);
  let kept = entries.reduce((sum, { size, shared }) => sum + (shared ? 0 : size), 0);
  const deleted: string[] = [];
  let reclaimed = 0;
  const gone: { blobs: Digest[]; chains: ChainId[] } = { blobs: [], chains: [] };
  for (const entry of entries.toReversed()) {
    if (entry.inUse || (entry.shared && !request.all) || !request.matches(entry)) continue;
    if (request.keepStorage > 0 && kept <= request.keepStorage) break;
    if (entry.type === "regular") {
      // Since they were listed a build may have come that uses it.
      if (care.cache.isUsed(entry.id)) continue;
      const { blobs, chains } = care.cache.remove(entry.id);
      gone.blobs.push(...blobs);
      gone.chains.push(...chains);
    } else if (!(await care.mounts.remove(entry.id))) continue;
    deleted.push(entry.id);
    if (!entry.shared) {
      reclaimed += entry.size;
      kept -= entry.size;
    }
  }
  if (deleted.length > 0) care.cache.records.forgetOldHashes();
  await care.parts.tools.garbage.collect(gone.blobs, gone.chains.toReversed());
  return { deleted, reclaimed };
}

/** Keeps the cache within its budget: a tenth of the disk, at least 2 GiB. */
export async function collectCache(care: CacheCare): Promise<void> {
  const { bsize, blocks } = await statfs(care.parts.layout.root);
  const keepStorage = Math.max(leastBudget, (bsize * blocks) / share);
  await pruneCache(care, { all: false, keepStorage, matches: () => true });
}
