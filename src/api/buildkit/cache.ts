import type { Builder, CacheEntry } from "../../build/types.ts";
import { type Method, streaming, unary } from "../grpc/server.ts";
import { codes, RpcError } from "../grpc/status.ts";
import * as m from "./messages/control.ts";
import { timestamp } from "./status.ts";

/** The methods of Control about the build cache. */
export function cacheMethods(builds: Pick<Builder, "usage" | "prune">): Readonly<Record<string, Method>> {
  return {
    DiskUsage: unary(m.DiskUsageRequest, m.DiskUsageResponse, async ({ filter, ageLimit }) => {
      const matches = matcher(filter, ageLimit);
      return { record: (await builds.usage()).filter(matches).map(recordOf) };
    }),
    Prune: streaming(m.PruneRequest, m.UsageRecord, async function* (request) {
      const { filter, all, keepDuration, reservedSpace, maxUsedSpace, minFreeSpace } = request;
      if (minFreeSpace > 0) throw new RpcError(codes.unimplemented, "Cannot prune by free space: use --max-used-space");
      const known = new Map((await builds.usage()).map((entry) => [entry.id, entry]));
      const keepStorage = Math.max(reservedSpace, maxUsedSpace);
      const { deleted } = await builds.prune({ all, keepStorage, matches: matcher(filter, keepDuration) });
      for (const id of deleted) {
        const entry = known.get(id);
        if (entry !== undefined) yield recordOf(entry);
      }
    }),
  };
}

function recordOf(entry: CacheEntry) {
  const { id, parents, type, description, inUse, shared, size, createdAt, lastUsedAt, usageCount } = entry;
  return {
    ...{ id, parents, recordType: type, description, inUse, shared, size, usageCount },
    mutable: type === "exec.cachemount",
    createdAt: timestamp(Date.parse(createdAt)),
    lastUsedAt: lastUsedAt === "" ? undefined : timestamp(Date.parse(lastUsedAt)),
  };
}

const fields: Readonly<Record<string, (entry: CacheEntry) => string | readonly string[]>> = {
  id: ({ id }) => id,
  parents: ({ parents }) => parents,
  description: ({ description }) => description,
  type: ({ type }) => type,
  inuse: ({ inUse }) => String(inUse),
  shared: ({ shared }) => String(shared),
  private: ({ shared }) => String(!shared),
  mutable: ({ type }) => String(type === "exec.cachemount"),
};

/** containerd's filters: one of the texts must match, and of that each of its parts ("type==regular,id~=ab"). */
function matcher(filters: readonly string[], unusedFor: number): (entry: CacheEntry) => boolean {
  const any = filters.filter(Boolean).map((text) => text.split(",").map(part));
  // Nanoseconds.
  const before = Date.now() - unusedFor / 1e6;
  return (entry) => {
    if (unusedFor > 0 && Date.parse(entry.lastUsedAt || entry.createdAt) > before) return false;
    return any.length === 0 || any.some((parts) => parts.every((matches) => matches(entry)));
  };
}

function part(text: string): (entry: CacheEntry) => boolean {
  const [, name = "", operator, value = ""] = /^([a-z]+)(?:(==|!=|~=)(.*))?$/.exec(text) ?? [];
  const read = fields[name];
  if (read === undefined) {
    const there = Object.keys(fields).join(", ");
    throw new RpcError(codes.invalidArgument, `Cannot filter the build cache by ${text}: ${there} are there`);
  }
  const is = (wanted: string) => (operator === "~=" ? wanted.includes(value) : wanted === (operator ? value : "true"));
  return (entry) => {
    const found = [read(entry)].flat().some(is);
    return operator === "!=" ? !found : found;
  };
}
