import { join } from "node:path";
import { messageOf, SampanError } from "../errors/index.ts";
import { hostPlatform, suitability } from "../images/platform.ts";
import type { Platform, StoredImage } from "../images/types.ts";
import { parseReference } from "../registry/reference.ts";
import type { Reference } from "../registry/types.ts";
import { removeTree } from "../storage/unpack/remove-tree.ts";
import { StepCache } from "./cache/cache.ts";
import { collectCache, pruneCache, usageOf } from "./cache/garbage.ts";
import { CacheMounts, scratchName } from "./cache/mounts.ts";
import { CacheRecords } from "./cache/records.ts";
import { obtainContext } from "./context/obtain.ts";
import { parseDockerfile } from "./dockerfile/parse.ts";
import type { Dockerfile } from "./dockerfile/types.ts";
import { filesOf } from "./output/files.ts";
import { storeImage } from "./output/image.ts";
import type { BuilderParts, WorkParts } from "./parts.ts";
import { imageKey, planBuild } from "./plan/plan.ts";
import type { BaseImage, NeededImage, Plan } from "./plan/types.ts";
import type { Job } from "./solve/job.ts";
import { Solver } from "./solve/solver.ts";
import type { Builder, BuildRequest, BuildResult, CacheEntry, PruneRequest, PruneResult } from "./types.ts";

/** Opens the builder of a root. */
export async function openBuilder(parts: BuilderParts): Promise<Builder> {
  const tools = await parts.images.tools();
  const directory = join(parts.layout.tmp, "builds");
  // What a crash has left.
  await removeTree(parts.executor, directory);
  return new DockerfileBuilder({ ...parts, tools }, directory);
}

class DockerfileBuilder implements Builder {
  readonly #parts: WorkParts;
  readonly #directory: string;
  readonly #records: CacheRecords;
  readonly #cache: StepCache;
  readonly #mounts: CacheMounts;
  /** Keys that builds under way have found or made: they are in use. */
  readonly #inUse = new Map<string, number>();

  constructor(parts: WorkParts, directory: string) {
    this.#parts = parts;
    this.#directory = directory;
    this.#records = new CacheRecords(parts.db);
    this.#cache = new StepCache(parts, this.#records);
    this.#mounts = new CacheMounts(parts, this.#records);
  }

  async build(request: BuildRequest): Promise<BuildResult> {
    const names = request.tags.map(nameOf);
    const scratch = join(this.#directory, scratchName());
    const { garbage } = this.#parts.tools;
    const hold = garbage.hold();
    const end = async () => {
      await garbage.release(hold, false);
      await removeTree(this.#parts.executor, scratch);
    };
    try {
      await using obtained = await obtainContext(request, scratch);
      const dockerfile = parseDockerfile(obtained.dockerfile, request.dockerfile);
      const images = new Map<string, StoredImage>();
      const plan = await this.#plan(dockerfile, request, images);
      const steps = plan.steps.map(({ vertex, instruction }) => ({ id: vertex?.toString(), instruction }));
      request.planned(steps);
      const { signal, noCache, network, limits, secrets, agents, emit } = request;
      const contexts = new Map([["", obtained.tree]]);
      const epoch = epochOf(request.buildArgs);
      const job: Job = {
        ...{
          parts: this.#parts,
          plan,
          cache: this.#cache,
          mounts: this.#mounts,
          hold,
          signal,
          noCache,
          contexts,
          images,
        },
        ...{ secrets, agents, limits, network, scratch, epoch, emit },
        image: (reference, platform, step) => this.#image(request, { reference, platform }, step),
      };
      const solver = new Solver(job);
      const { stack } = await solver.run(plan.result);
      this.#records.touch(solver.usedKeys, Date.now());
      if (request.output.type === "tar") {
        const stream = ended(await filesOf(job, stack), end);
        return { id: undefined, digest: undefined, tags: [], stream };
      }
      const times = new Map<number, number | undefined>();
      for (const { vertex } of plan.history) {
        if (vertex !== undefined) times.set(vertex, (await solver.outcome(vertex)).created);
      }
      const built = { plan, stack, createdAt: (id: number) => times.get(id), labels: request.labels, epoch };
      const { image, digest } = await storeImage(this.#parts, hold, built, { names, signal });
      this.#tell(image, names);
      await end();
      this.#collect();
      return { id: image.id, digest, tags: names.map(({ familiar }) => familiar), stream: undefined };
    } catch (error) {
      await end();
      throw error;
    }
  }

  async usage(): Promise<CacheEntry[]> {
    return usageOf(this.#parts, this.#records, (id) => this.#inUse.has(id) || this.#mounts.isUsed(id));
  }

  prune(request: PruneRequest): Promise<PruneResult> {
    const isUsed = (id: string) => this.#inUse.has(id) || this.#mounts.isUsed(id);
    return pruneCache({ parts: this.#parts, cache: this.#cache, mounts: this.#mounts, isUsed }, request);
  }

  /** The plan, once all images are here that it must know of. */
  async #plan(dockerfile: Dockerfile, request: BuildRequest, images: Map<string, StoredImage>): Promise<Plan> {
    const known = new Map<string, BaseImage>();
    const targetPlatform = request.platform ?? hostPlatform();
    const { buildArgs, target, contexts } = request;
    for (;;) {
      const options = { buildArgs, target, buildPlatform: hostPlatform(), targetPlatform, contexts, images: known };
      const planned = planBuild(dockerfile, options);
      if ("plan" in planned) return planned.plan;
      await Promise.all(
        planned.needs.map(async (needed) => {
          const image = await this.#image(request, needed, undefined);
          images.set(imageKey(needed), image);
          known.set(imageKey(needed), baseOf(needed, image));
        }),
      );
    }
  }

  /** An image that is here, or is fetched now. */
  async #image(request: BuildRequest, { reference, platform }: NeededImage, step: string | undefined) {
    const { images, host } = this.#parts;
    const { signal, pull, emit, auth } = request;
    const here = pull ? undefined : found(images.list, () => images.resolve(reference), platform);
    if (here !== undefined) return here;
    const started = Date.now();
    return await host.pull(reference, {
      platform,
      auth: auth(reference),
      signal,
      progress: ({ id, status, current, total }) => {
        if (step === undefined || id === undefined || current === undefined) return;
        const counts = { current, ...(total !== undefined && { total }) };
        emit({ type: "status", step, id: `${status} ${id}`, started, ...counts });
      },
    });
  }

  #tell({ id, config }: StoredImage, names: readonly Reference[]): void {
    void config;
    for (const { familiar } of names) this.#parts.host.tell("tag", id, familiar);
  }

  /** Makes room, in the background: nobody waits for it. */
  #collect(): void {
    const isUsed = (id: string) => this.#inUse.has(id) || this.#mounts.isUsed(id);
    collectCache({ parts: this.#parts, cache: this.#cache, mounts: this.#mounts, isUsed }).catch((error) => {
      this.#parts.log.warn({ error: messageOf(error) }, "the build cache was not cleaned up");
    });
  }
}

function found(_list: unknown, resolve: () => StoredImage, platform: Platform): StoredImage | undefined {
  try {
    const image = resolve();
    return image.virtual !== undefined || suitability(platform, image.config) !== undefined ? image : undefined;
  } catch (error) {
    if (error instanceof SampanError && error.kind === "not-found") return undefined;
    throw error;
  }
}

function baseOf({ reference, platform }: NeededImage, { config }: StoredImage): BaseImage {
  const { os, architecture, variant } = config;
  const own = architecture === "" ? platform : { os, architecture, ...(variant && { variant }) };
  return {
    reference,
    platform: own,
    config: config.config ?? {},
    author: config.author,
    history: config.history ?? [],
  };
}

function nameOf(text: string): Reference {
  const reference = parseReference(text);
  if (reference.digest !== undefined || reference.tag === undefined) {
    throw new SampanError(
      "invalid",
      `invalid tag ${JSON.stringify(text)}: refusing to create a tag with a digest reference`,
    );
  }
  return reference;
}

/** SOURCE_DATE_EPOCH of the build arguments. */
function epochOf(buildArgs: ReadonlyMap<string, string>): number | undefined {
  const text = buildArgs.get("SOURCE_DATE_EPOCH");
  if (text === undefined || text === "") return undefined;
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw new SampanError("invalid", `invalid SOURCE_DATE_EPOCH: ${JSON.stringify(text)} is no number of seconds`);
}

async function* ended(stream: AsyncGenerator<Uint8Array>, end: () => Promise<void>): AsyncGenerator<Uint8Array> {
  try {
    yield* stream;
  } finally {
    await end();
  }
}
