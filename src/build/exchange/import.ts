import { kindOf, messageOf, SampanError } from "../../errors/index.ts";
import type { BlobSource } from "../../images/download.ts";
import type { Hold } from "../../images/garbage.ts";
import { type Descriptor, type Index, type Manifest, parseDocument } from "../../images/shapes.ts";
import { obtainLayers } from "../../images/stack.ts";
import { choosePlatform } from "../../images/suits.ts";
import type { Platform } from "../../images/types.ts";
import type { WorkParts } from "../parts.ts";
import type { BuildEvent } from "../progress/types.ts";
import type { Stack } from "../solve/stack.ts";
import { onto, type ForeignCache as Parsed, parseCache } from "./format.ts";
import { type MountOwner, unpackMount } from "./mounts.ts";
import { type CachePlace, nameOf, openPlace } from "./place.ts";
import { shownStep, statusOf } from "./shown.ts";
import type { CacheSource, RegistryCredentials } from "./types.ts";

interface ForeignCache extends Parsed {
  readonly name: string;
  readonly blob: BlobSource;
}

interface Asking {
  readonly hold: Hold;
  /** Of progress. */
  readonly step: string;
  readonly signal: AbortSignal;
}

export interface ImportOptions {
  /** Of an index, the caches of all of these are used. */
  readonly platforms: readonly Platform[];
  readonly signal: AbortSignal;
  readonly auth: RegistryCredentials;
  emit(event: BuildEvent): void;
}

/** What was built elsewhere, results of steps and cache mounts: known at once, their layers fetched when they are wanted. */
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
    parent: Stack,
    asking: Asking,
  ): Promise<{ readonly stack: Stack; readonly created: number } | undefined> {
    return await this.#first(asking, async (cache) => {
      const result = cache.results.get(key);
      if (result === undefined) return undefined;
      const stack = onto(parent, result);
      await this.#obtain(cache, stack, asking);
      return { stack, created: result.created };
    });
  }

  /** Fills an empty directory with what is in the cache mount of an id elsewhere; undefined when no cache has it. */
  async fillMount(id: string, directory: string, asking: Asking): Promise<MountOwner | undefined> {
    return await this.#first(asking, async (cache) => {
      const mount = cache.mounts.get(id);
      if (mount === undefined) return undefined;
      const progress = statusOf(asking.step, this.#options.emit);
      await unpackMount(this.#parts, mount, directory, { ...asking, source: cache.blob, progress });
      return mount;
    });
  }

  /** What the first of the caches has; one that has lost it is told and passed over. */
  async #first<Found>(
    { step, signal }: Asking,
    look: (cache: ForeignCache) => Promise<Found | undefined>,
  ): Promise<Found | undefined> {
    for (const cache of this.#caches) {
      try {
        const found = await look(cache);
        if (found !== undefined) return found;
      } catch (error) {
        if (signal.aborted || !isAbsence(error)) throw blamed(error, cache.name);
        const data = `cache of ${cache.name}: ${messageOf(error)}\n`;
        this.#options.emit({ type: "log", step, stream: "stderr", data });
      }
    }
    return undefined;
  }

  async #obtain({ blob: source }: ForeignCache, { layers, chains }: Stack, asking: Asking): Promise<void> {
    const { hold, step, signal } = asking;
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
      return { ...parseCache(await place.document(manifest.config), manifest, name), name, blob: place.blob };
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
