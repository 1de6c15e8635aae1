import { messageOf, SampanError } from "../errors/index.ts";
import type { Hold } from "../images/garbage.ts";
import { hostPlatform, suitability } from "../images/platform.ts";
import type { Platform, StoredImage } from "../images/types.ts";
import { parseReference } from "../registry/reference.ts";
import type { Reference } from "../registry/types.ts";
import { removeTree } from "../storage/unpack/remove-tree.ts";
import type { CacheCare } from "./cache/garbage.ts";
import { answerCall, tellLints } from "./call.ts";
import { obtainNamed } from "./context/named.ts";
import { obtainContext } from "./context/obtain.ts";
import { DockerfileError, parseDockerfile } from "./dockerfile/index.ts";
import type { Dockerfile } from "./dockerfile/types.ts";
import { exportCache } from "./exchange/export.ts";
import { inlineSteps, type StepResult } from "./exchange/format.ts";
import { ImportedCache } from "./exchange/import.ts";
import { filesOf } from "./output/files.ts";
import { storeImage } from "./output/image.ts";
import { checkEntitlements } from "./plan/entitlements.ts";
import { checkHostUse } from "./plan/host.ts";
import { imageKey, type PlanOptions, planBuild } from "./plan/plan.ts";
import type { BaseImage, NeededImage, Plan } from "./plan/types.ts";
import { checkAgents } from "./solve/agents.ts";
import type { Job } from "./solve/job.ts";
import { Solver } from "./solve/solver.ts";
import type { Stack } from "./solve/stack.ts";
import type { BuildRequest, BuildResult, BuildSettings, OutputStream } from "./types.ts";

/** What a plan is carried out with. */
interface Means {
  readonly settings: BuildSettings;
  readonly contexts: Job["contexts"];
  readonly imported: ImportedCache;
}

/** One build, from the request to its result. */
export class Build {
  readonly #care: CacheCare;
  readonly #request: BuildRequest;
  /** Where its things lie while it runs. */
  readonly #scratch: string;
  readonly #hold: Hold;
  /** By `imageKey`: base images that are here. */
  readonly #images = new Map<string, StoredImage>();
  readonly #known = new Map<string, BaseImage>();

  constructor(care: CacheCare, request: BuildRequest, scratch: string) {
    this.#care = care;
    this.#request = request;
    this.#scratch = scratch;
    this.#hold = care.parts.tools.garbage.hold();
  }

  async run(): Promise<BuildResult> {
    try {
      const result = await this.#run();
      if (result.stream !== undefined) return { ...result, stream: this.#endingWith(result.stream) };
      await this.#end();
      return result;
    } catch (error) {
      await this.#end();
      throw error;
    }
  }

  async #run(): Promise<BuildResult> {
    const names = this.#request.tags.map(nameOf);
    const { executor } = this.#care.parts;
    await using obtained = await obtainContext(this.#request, this.#scratch, executor);
    const { settings } = obtained;
    checkAgents(settings.agents);
    const name = this.#request.dockerfileName ?? this.#request.dockerfile;
    const dockerfile = parseDockerfile(obtained.dockerfile, name);
    const { call } = this.#request;
    if (call !== "build")
      return answerCall(this.#request, call, { dockerfile, ignore: obtained.ignore, images: this.#care.parts.images });
    const plan = await this.#plan(dockerfile, settings);
    checkHostUse(plan);
    checkEntitlements(plan, this.#request.allow, this.#request.network);
    tellLints(this.#request, { dockerfile, ignore: obtained.ignore, images: this.#care.parts.images });
    this.#request.planned(plan.steps.map(({ vertex, instruction }) => ({ id: vertex?.toString(), instruction })));
    const imported = await this.#import(plan);
    await using named = await obtainNamed(this.#request, plan, { executor, scratch: this.#scratch, settings });
    const contexts = new Map([...obtained.trees, ...named.trees]);
    return await this.#solve(this.#job(plan, { settings, contexts, imported }), names);
  }

  #import({ platform }: Plan): Promise<ImportedCache> {
    const { noCache, cacheFrom, signal, auth, emit } = this.#request;
    return ImportedCache.open(this.#care.parts, noCache === true ? [] : cacheFrom, { platform, signal, auth, emit });
  }

  #job(plan: Plan, { settings: { secrets, agents }, contexts, imported }: Means): Job {
    const { parts, cache, mounts } = this.#care;
    const { signal, noCache, network, limits, emit, ready, buildArgs } = this.#request;
    return {
      parts,
      plan,
      cache,
      imported,
      mounts,
      hold: this.#hold,
      signal,
      noCache,
      contexts,
      images: this.#images,
      image: (reference, platform, step) => this.#image({ reference, platform }, step),
      secrets,
      agents,
      limits,
      network,
      scratch: this.#scratch,
      epoch: epochOf(buildArgs),
      rewritesTimes: this.#request.output.rewritesTimes,
      emit,
      ready,
    };
  }

  async #solve(job: Job, names: readonly Reference[]): Promise<BuildResult> {
    const { cache, parts } = this.#care;
    const { plan, epoch, signal } = job;
    const solver = new Solver(job);
    try {
      const { stack } = await solver.run(plan.result);
      cache.records.touch(solver.usedKeys, Date.now());
      await this.#export(job, solver.results, stack);
      const none = { id: undefined, digest: undefined, tags: [], metadata: undefined };
      if (this.#request.output.type === "tar") return { ...none, stream: await filesOf(job, stack) };
      const times = new Map<number, number | undefined>();
      for (const { vertex } of plan.history) {
        if (vertex !== undefined) times.set(vertex, (await solver.outcome(vertex)).created);
      }
      const createdAt = (id: number) => times.get(id);
      const inline = this.#request.cacheTo.some(({ type }) => type === "inline");
      const steps = inline ? inlineSteps(solver.results, stack, epoch) : undefined;
      const built = { plan, stack, createdAt, labels: this.#request.labels, epoch, steps };
      const { image, digest } = await storeImage(parts, this.#hold, built, { names, signal });
      for (const { familiar } of names) parts.host.tell("tag", image.id, familiar);
      return {
        id: image.id,
        digest,
        tags: names.map(({ familiar }) => familiar),
        stream: undefined,
        metadata: undefined,
      };
    } finally {
      solver.letGo();
    }
  }

  async #export({ hold, epoch, signal, emit }: Job, results: readonly StepResult[], stack: Stack): Promise<void> {
    const { cacheTo, auth } = this.#request;
    const options = { hold, epoch, signal, auth, emit };
    await exportCache(this.#care.parts, cacheTo, { results, stack }, options);
  }

  /** The plan, once all images are here that it must know of. */
  async #plan(dockerfile: Dockerfile, { contexts }: BuildSettings): Promise<Plan> {
    const { buildArgs, target, platform } = this.#request;
    const platforms = { buildPlatform: hostPlatform(), targetPlatform: platform ?? hostPlatform() };
    const options: PlanOptions = { buildArgs, target, contexts, images: this.#known, ...platforms };
    for (;;) {
      const planned = planBuild(dockerfile, options);
      if ("plan" in planned) return planned.plan;
      await Promise.all(
        planned.needs.map(async (needed) => {
          const image = await this.#image(needed, undefined).catch((cause) => {
            throw new DockerfileError(messageOf(cause), dockerfile.source, needed.range, { cause });
          });
          this.#images.set(imageKey(needed), image);
          this.#known.set(imageKey(needed), baseOf(needed, image));
        }),
      );
    }
  }

  /** An image that is here, or is fetched now. */
  async #image(
    { reference, platform }: Pick<NeededImage, "reference" | "platform">,
    step: string | undefined,
  ): Promise<StoredImage> {
    const { images, host } = this.#care.parts;
    const { signal, pull, emit, auth } = this.#request;
    const here = pull ? undefined : suited(() => images.resolve(reference), platform);
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

  /** The build ends when its output does. */
  #endingWith(stream: OutputStream): OutputStream {
    return {
      [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator](),
      [Symbol.asyncDispose]: async () => {
        try {
          await stream[Symbol.asyncDispose]();
        } finally {
          await this.#end();
        }
      },
    };
  }

  /** What the build has used, and nobody else needs, goes. */
  async #end(): Promise<void> {
    const { tools, executor } = this.#care.parts;
    try {
      await tools.garbage.release(this.#hold, false);
    } finally {
      await removeTree(executor, this.#scratch);
    }
  }
}

/** An image that was found and is for the platform; undefined: it must be fetched. */
function suited(resolve: () => StoredImage, platform: Platform): StoredImage | undefined {
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
    const why = "refusing to create a tag with a digest reference";
    throw new SampanError("invalid", `invalid tag ${JSON.stringify(text)}: ${why}`);
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
