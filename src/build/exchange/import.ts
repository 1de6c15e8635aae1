import { kindOf, messageOf, SampanError } from "../../errors/index.ts";
import type { BlobSource } from "../../images/download.ts";
import type { Hold } from "../../images/garbage.ts";
import { type Descriptor, type Index, type Manifest, parseDocument } from "../../images/shapes.ts";
import { obtainLayers } from "../../images/stack.ts";
import { choosePlatform } from "../../images/suits.ts";
import type { Platform } from "../../images/types.ts";
import type { RegistryAuth } from "../../registry/types.ts";
import type { WorkParts } from "../parts.ts";
import type { BuildEvent } from "../progress/types.ts";
import type { Stack } from "../solve/stack.ts";
import { type ForeignResult, onto, parseCache } from "./format.ts";
import { type CachePlace, nameOf, openPlace } from "./place.ts";
import { shownStep, statusOf } from "./shown.ts";
import type { CacheSource } from "./types.ts";

interface ForeignCache {
  readonly name: string;
  readonly results: ReadonlyMap<string, ForeignResult>;
  readonly blob: BlobSource;
}

export interface ImportOptions {
  /** Of an index, the caches of all of these are used. */
  readonly platforms: readonly Platform[];
  readonly signal: AbortSignal;
  auth(reference: string): RegistryAuth | undefined;
  emit(event: BuildEvent): void;
}

/** The results of steps that were carried out elsewhere: known at once, their layers fetched when they are wanted. */
export class ImportedCache {
  readonly #parts: WorkParts;
  readonly #caches: readonly ForeignCache[];
  readonly #options: ImportOptions;

  private constructor(parts: WorkParts, caches: readonly ForeignCache[], options: ImportOptions) {
    this.#parts = parts;
    this.#caches = caches;
    this.#options = options;
  }

  /** A source that is not there is told and passed over, as BuildKit does; one that is damaged is an error. */
  static async open(parts: WorkParts, sources: readonly CacheSource[], options: ImportOptions): Promise<ImportedCache> {
    const caches = sources.map(async (source, place) => {
      const name = nameOf(source);
      const shown = { id: `cache-from-${place}`, name: `importing cache manifest from ${name}`, mayFail: isAbsence };
      return await shownStep(options, shown, async () => {
        return await readCaches(await openPlace(parts, source, options), name, options.platforms);
      });
    });
    const found = await Promise.all(caches);
    return new ImportedCache(
      parts,
      found.flatMap((caches) => caches ?? []),
      options,
    );
  }

  has(key: string): boolean {
    return this.#caches.some(({ results }) => results.has(key));
  }

  /** The result of a step on `parent`, held and all there; undefined when no cache has it. */
  async find(
    key: string,
    { parent, hold, step, signal }: { parent: Stack; hold: Hold; step: string; signal: AbortSignal },
  ): Promise<{ readonly stack: Stack; readonly created: number } | undefined> {
    for (const cache of this.#caches) {
      const result = cache.results.get(key);
      if (result === undefined) continue;
      const stack = onto(parent, result);
      try {
        await this.#obtain(cache, stack, { hold, step, signal });
        return { stack, created: result.created };
      } catch (error) {
        if (signal.aborted || !isAbsence(error)) throw blamed(error, cache.name);
        const data = `cache of ${cache.name}: ${messageOf(error)}\n`;
        this.#options.emit({ type: "log", step, stream: "stderr", data });
      }
    }
    return undefined;
  }

  async #obtain(
    { blob: source }: ForeignCache,
    { layers, chains }: Stack,
    { hold, step, signal }: { hold: Hold; step: string; signal: AbortSignal },
  ): Promise<void> {
    const { tools } = this.#parts;
    const [layer, chainId] = [layers.at(-1), chains.at(-1)];
    if (layer === undefined || chainId === undefined) return;
    await tools.garbage.add(hold, [layer.digest], [chainId]);
    const wanted = { blob: layer, diffId: layer.diffId, chainId, parents: chains.slice(0, -1) };
    const progress = statusOf(step, this.#options.emit);
    await obtainLayers(tools, [wanted], { source, unpacking: "Extracting", progress, signal });
    await tools.content.sync([layer.digest]);
  }
}

/** Of an index those of the platforms that it has; kind "not-found" when that is none of them. */
async function readCaches(place: CachePlace, name: string, platforms: readonly Platform[]): Promise<ForeignCache[]> {
  const { bytes, mediaType } = await place.root();
  const manifests = await manifestsOf(place, bytes, { name, mediaType, platforms });
  return await Promise.all(
    manifests.map(async (manifest) => {
      const results = parseCache(await place.document(manifest.config), manifest, name);
      return { name, results, blob: place.blob };
    }),
  );
}

async function manifestsOf(
  place: CachePlace,
  bytes: Buffer,
  { name, mediaType, platforms }: { name: string; mediaType: string; platforms: readonly Platform[] },
): Promise<Manifest[]> {
  const document = parseDocument(bytes, name, mediaType);
  if (document.kind === "manifest") return [document.manifest];
  return await Promise.all(
    chosenOf(document.index, name, platforms).map(async (chosen) => {
      const inner = parseDocument(await place.manifest(chosen), name, chosen.mediaType);
      if (inner.kind === "manifest") return inner.manifest;
      throw new SampanError("invalid", `Cannot use the build cache of ${name}: an index in an index`);
    }),
  );
}

/** Each once. */
function chosenOf(index: Index, name: string, platforms: readonly Platform[]): Descriptor[] {
  const chosen = new Map<string, Descriptor>();
  let missing: unknown;
  for (const platform of platforms) {
    try {
      const entry = choosePlatform(index, platform, name);
      chosen.set(entry.digest, entry);
    } catch (error) {
      missing = error;
    }
  }
  if (chosen.size === 0) throw missing;
  return [...chosen.values()];
}

/** What is not there, or cannot be reached, as opposed to what is wrong. */
function isAbsence(error: unknown): boolean {
  return ["not-found", "unavailable", "denied"].includes(kindOf(error));
}

function blamed(cause: unknown, name: string): SampanError {
  return new SampanError(kindOf(cause), `Cannot use the build cache of ${name}: ${messageOf(cause)}`, { cause });
}
