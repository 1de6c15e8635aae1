import { messageOf, SampanError } from "../errors/index.ts";
import type { Hold } from "../images/garbage.ts";
import { hostPlatform } from "../images/platform.ts";
import type { ImageStore, Platform, StoredImage } from "../images/types.ts";
import { parseReference } from "../registry/reference.ts";
import type { Reference } from "../registry/types.ts";
import { removeTree } from "../storage/unpack/remove-tree.ts";
import type { CacheCare } from "./cache/garbage.ts";
import { answerCall, tellLints } from "./call.ts";
import { obtainNamed } from "./context/named.ts";
import { obtainContext, obtainLent } from "./context/obtain.ts";
import { DockerfileError, parseDockerfile } from "./dockerfile/index.ts";
import type { Dockerfile } from "./dockerfile/types.ts";
import { exportCache } from "./exchange/export.ts";
import { inlineSteps, type StepResult } from "./exchange/format.ts";
import { ImportedCache } from "./exchange/import.ts";
import { packMounts } from "./exchange/mounts.ts";
import { contentOf } from "./output/content.ts";
import { filesOf } from "./output/files.ts";
import { type Built, storeImages } from "./output/image.ts";
import { checkEntitlements } from "./plan/entitlements.ts";
import { checkHostUse } from "./plan/host.ts";
import { imageKey, type PlanOptions, planBuild } from "./plan/plan.ts";
import type { BaseImage, NeededImage, Plan } from "./plan/types.ts";
import { ContextParts } from "./solve/bind-layers.ts";
import type { StepFlight } from "./solve/flight.ts";
import type { Job } from "./solve/job.ts";
import { Solver } from "./solve/solver.ts";
import { emptyStack, type Stack } from "./solve/stack.ts";
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
  /** Its contexts. */
  readonly #brought = new AsyncDisposableStack();
  /** Steps that work with what this build has brought. */
  #started: readonly StepFlight[] = [];

  constructor(care: CacheCare, request: BuildRequest, scratch: string) {
    this.#care = care;
    this.#request = request;
    this.#scratch = scratch;
    this.#hold = care.parts.tools.garbage.hold();
  }

  async run(): Promise<BuildResult> {
    try {
      const result = await this.#run();
      const { stream, content } = result;
      if (stream !== undefined) return { ...result, stream: this.#endingWith(stream) };
      if (content !== undefined)
        return { ...result, content: { ...content, [Symbol.asyncDispose]: () => this.#end() } };
      await this.#end();
      return result;
    } catch (error) {
      await this.#giveUp();
      throw error;
    }
  }

  async #run(): Promise<BuildResult> {
    const names = this.#request.tags.map(nameOf);
    const { executor } = this.#care.parts;
    const obtained = this.#brought.use(await obtainContext(this.#request, this.#scratch, executor));
    const name = this.#request.dockerfileName ?? this.#request.dockerfile;
    const dockerfile = parseDockerfile(obtained.dockerfile, name);
    const { call } = this.#request;
    if (call !== "build")
      return answerCall(this.#request, call, { dockerfile, ignore: obtained.ignore, images: this.#care.parts.images });
    const plan = await this.#plan(dockerfile, obtained.settings);
    checkHostUse(plan);
    checkEntitlements(plan, this.#request.allow, this.#request.network);
    tellLints(this.#request, { dockerfile, ignore: obtained.ignore, images: this.#care.parts.images });
    this.#request.planned(plan.steps.map(({ vertex, instruction }) => ({ id: vertex?.toString(), instruction })));
    const imported = await this.#import(plan);
    const { secrets, agents } = await this.#lent(plan, obtained.settings);
    const settings = { ...obtained.settings, secrets, agents };
    const options = { executor, scratch: this.#scratch, settings };
    const named = this.#brought.use(await obtainNamed(this.#request, plan, options));
    const lending = { scratch: this.#scratch, ignore: obtained.ignore };
    const lent = this.#brought.use(await obtainLent(this.#request, plan, lending));
    const contexts = new Map([...obtained.trees, ...named.trees, ...lent.trees]);
    return await this.#solve(this.#job(plan, { settings, contexts, imported }), names);
  }

  /** With what the client lends for the plan's commands. */
  async #lent(
    { vertices }: Plan,
    { secrets, agents }: BuildSettings,
  ): Promise<Pick<BuildSettings, "secrets" | "agents">> {
    const mounts = vertices.flatMap((vertex) => (vertex.kind === "run" ? vertex.mounts : []));
    const ids = (type: "secret" | "ssh") => [
      ...new Set(mounts.flatMap((mount) => (mount.type === type ? [mount.id] : []))),
    ];
    const lent = await this.#request.lend?.({ secrets: ids("secret"), agents: ids("ssh") });
    return {
      secrets: new Map([...secrets, ...(lent?.secrets ?? [])]),
      agents: new Map([...agents, ...(lent?.agents ?? [])]),
    };
  }

  #import({ results }: Plan): Promise<ImportedCache> {
    const platforms = results.map(({ target }) => target);
    const { cacheFrom, signal, auth, emit } = this.#request;
    return ImportedCache.open(this.#care.parts, cacheFrom, { platforms, signal, auth, emit });
  }

  #job(plan: Plan, { settings: { secrets, agents }, contexts, imported }: Means): Job {
    const { parts, cache, mounts, flights } = this.#care;
    const { signal, noCache, network, limits, emit, ready, buildArgs } = this.#request;
    return {
      parts,
      plan,
      cache,
      flights,
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
      contextParts: new ContextParts(),
      scratch: this.#scratch,
      epoch: epochOf(buildArgs),
      rewritesTimes: this.#request.output.rewritesTimes,
      emit,
      ready,
    };
  }

  async #solve(job: Job, names: readonly Reference[]): Promise<BuildResult> {
    const { cache } = this.#care;
    const solver = new Solver(job);
    this.#started = solver.started;
    try {
      const stacks = (await solver.run()).map(({ stack }) => stack);
      cache.records.touch(solver.usedKeys, Date.now());
      await this.#export(job, solver.results, stacks);
      if (this.#request.output.type === "tar") {
        const none = { id: undefined, digest: undefined, tags: [], content: undefined, metadata: undefined };
        return { ...none, stream: await filesOf(job, stacks) };
      }
      return await this.#store(job, { solver, stacks }, names);
    } finally {
      solver.letGo();
    }
  }

  async #store(
    { plan, epoch, signal }: Job,
    { solver, stacks }: { readonly solver: Solver; readonly stacks: readonly Stack[] },
    names: readonly Reference[],
  ): Promise<BuildResult> {
    const { parts } = this.#care;
    const { labels, cacheTo, output } = this.#request;
    const times = new Map<number, number | undefined>();
    for (const { vertex } of plan.results.flatMap(({ history }) => history)) {
      if (vertex !== undefined) times.set(vertex, (await solver.outcome(vertex)).created);
    }
    const createdAt = (id: number) => times.get(id);
    const inline = cacheTo.some(({ type }) => type === "inline");
    const built = plan.results.map((result, index): Built => {
      const stack = stacks[index] ?? emptyStack;
      const steps = inline ? inlineSteps(solver.results, stack, epoch) : undefined;
      return { result, stack, createdAt, labels, epoch, steps };
    });
    const tags = names.map(({ familiar }) => familiar);
    const none = { stream: undefined, content: undefined, metadata: undefined };
    const { annotations = [] } = output;
    if (output.type === "content") {
      const { id, content } = await contentOf(parts, this.#hold, built, { names, annotations });
      const kept = { ...content, [Symbol.asyncDispose]: () => this.#end() };
      return { ...none, id, digest: content.root.digest, tags, content: kept };
    }
    const { image, id, digest } = await storeImages(parts, this.#hold, built, { names, annotations, signal });
    for (const { familiar } of names) parts.host.tell("tag", image.id, familiar);
    return { ...none, id, digest, tags };
  }

  async #export(
    { plan, hold, epoch, signal, emit }: Job,
    results: readonly StepResult[],
    stacks: readonly Stack[],
  ): Promise<void> {
    const { parts, mounts } = this.#care;
    const { cacheTo, auth } = this.#request;
    const options = { hold, epoch, signal, auth, emit };
    const packed = () => packMounts(parts, { plan, mounts }, options);
    await exportCache(parts, cacheTo, { results, stacks, mounts: packed }, options);
  }

  /** The plan, once all images are here that it must know of. */
  async #plan(dockerfile: Dockerfile, { contexts }: BuildSettings): Promise<Plan> {
    const { buildArgs, target, platforms } = this.#request;
    const buildPlatform = hostPlatform();
    const targetPlatforms = platforms.length > 0 ? platforms : [buildPlatform];
    const options: PlanOptions = { buildArgs, target, contexts, images: this.#known, buildPlatform, targetPlatforms };
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
    const here = pull ? undefined : suited(images, reference, platform);
    if (here !== undefined) return here;
    const started = Date.now();
    return await host.pull(reference, {
      platform,
      givesWay: true,
      auth: await auth(reference),
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

  /** What a step that other builds want too works with stays until that has ended; this build's client is not kept waiting. */
  async #giveUp(): Promise<void> {
    const ended = this.#end();
    if (this.#started.every(({ isOver }) => isOver)) return await ended;
    const { log } = this.#care.parts;
    ended.catch((error) => log.warn({ error: messageOf(error) }, "what a build has left was not removed"));
  }

  /** What the build has used, and nobody else needs, goes. */
  async #end(): Promise<void> {
    const { tools, executor } = this.#care.parts;
    await Promise.allSettled(this.#started.map(({ done }) => done));
    try {
      await this.#brought.disposeAsync();
      await tools.garbage.release(this.#hold, false);
    } finally {
      await removeTree(executor, this.#scratch);
    }
  }
}

/** An image that is here and for the platform; undefined: it must be fetched. */
function suited(images: Pick<ImageStore, "resolve">, reference: string, platform: Platform): StoredImage | undefined {
  try {
    const image = images.resolve(reference);
    return image.virtual === undefined ? images.resolve(reference, platform) : image;
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
