import { join } from "node:path";
import { messageOf } from "../errors/index.ts";
import { Shared } from "../images/shared.ts";
import { removeTree } from "../storage/unpack/remove-tree.ts";
import { Build } from "./build.ts";
import { StepCache } from "./cache/cache.ts";
import { type CacheCare, collectCache, pruneCache, usageOf } from "./cache/garbage.ts";
import { CacheMounts, scratchName } from "./cache/mounts.ts";
import { CacheRecords } from "./cache/records.ts";
import type { BuilderParts, WorkParts } from "./parts.ts";
import { scratchDirectory } from "./scratch.ts";
import type { Builder, BuildRequest, BuildResult, CacheEntry, PruneRequest, PruneResult } from "./types.ts";

/** Opens the builder of a root. */
export async function openBuilder(parts: BuilderParts): Promise<Builder> {
  const tools = await parts.images.tools();
  const directory = scratchDirectory(parts.layout);
  // What a crash has left.
  await removeTree(parts.executor, directory);
  return new DockerfileBuilder({ ...parts, tools }, directory);
}

class DockerfileBuilder implements Builder {
  readonly scratch: string;
  readonly #care: CacheCare;

  constructor(parts: WorkParts, directory: string) {
    const records = new CacheRecords(parts.db);
    const cache = new StepCache(parts, records);
    const mounts = new CacheMounts(parts, records);
    this.#care = { parts, cache, mounts, flights: new Shared() };
    this.scratch = directory;
  }

  async build(request: BuildRequest): Promise<BuildResult> {
    const result = await new Build(this.#care, request, join(this.scratch, scratchName())).run();
    // Nobody waits for the room that is made.
    collectCache(this.#care).catch((error) => {
      this.#care.parts.log.warn({ error: messageOf(error) }, "the build cache was not cleaned up");
    });
    return result;
  }

  async usage(): Promise<CacheEntry[]> {
    return usageOf(this.#care);
  }

  prune(request: PruneRequest): Promise<PruneResult> {
    return pruneCache(this.#care, request);
  }
}
