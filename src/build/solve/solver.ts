import { orCancelled } from "../../errors/cancel.ts";
import { kindOf, messageOf, SampanError } from "../../errors/index.ts";
import { compressMade } from "../../images/create/compress.ts";
import { parentOf } from "../../images/create/create.ts";
import { isHostReference } from "../../images/host.ts";
import { formatPlatform, suitability } from "../../images/platform.ts";
import type { StoredImage } from "../../images/types.ts";
import type { NewResult } from "../cache/cache.ts";
import { scratchName } from "../cache/mounts.ts";
import type { StepResult } from "../exchange/format.ts";
import { imageKey } from "../plan/plan.ts";
import type { CopyVertex, ImageVertex, RunVertex, Step, Vertex, VertexId, WorkdirVertex } from "../plan/types.ts";
import { CopyStep } from "./copy.ts";
import { StepFailed } from "./errors.ts";
import { type LayerStep, StepFlight, type WantedStep } from "./flight.ts";
import type { Job, Outcome } from "./job.ts";
import { keyOf } from "./key.ts";
import { RunStep } from "./run.ts";
import { emptyStack, hostStack, identityOf, type Stack, stackOf } from "./stack.ts";
import { makeWorkdir } from "./workdir.ts";

/** Carries a plan out: every vertex once, as soon as its inputs are there, and only when the cache does not know it. */
export class Solver {
  readonly #job: Job;
  readonly #outcomes = new Map<VertexId, Promise<Outcome>>();
  /** The first step that stands for a vertex. */
  readonly #steps = new Map<VertexId, Step>();
  readonly #abort = new AbortController();
  /** Found in the cache: they count as used once the build is over. */
  readonly usedKeys: string[] = [];
  /** Of all steps that make layers, as they end. */
  readonly results: StepResult[] = [];
  /** What was carried out with this build's means: others may still need them when it is over. */
  readonly started: StepFlight[] = [];
  readonly #using: (() => void)[] = [];

  constructor(job: Job) {
    this.#job = { ...job, signal: AbortSignal.any([job.signal, this.#abort.signal]) };
    for (const step of job.plan.steps) {
      if (step.vertex !== undefined && !this.#steps.has(step.vertex)) this.#steps.set(step.vertex, step);
    }
  }

  /** The outcomes of the plan's results. When one fails the others are given up, and this waits until they have ended. */
  async run(): Promise<Outcome[]> {
    try {
      // All at once: what several steps later wants a stage must not keep that stage waiting.
      const all = this.#job.plan.vertices.map(({ kind }, id) => (kind === "context" ? undefined : this.outcome(id)));
      // What is no step of its own fails the one that uses it.
      await Promise.all(all.filter((_, id) => this.#steps.has(id)));
      return await Promise.all(this.#job.plan.results.map(({ vertex }) => this.outcome(vertex)));
    } catch (error) {
      this.#abort.abort(new SampanError("cancelled", "cancelled", { cause: error }));
      throw error;
    } finally {
      await Promise.allSettled(this.#outcomes.values());
    }
  }

  /** The results that were found or made may be removed again. */
  letGo(): void {
    for (const letGo of this.#using.splice(0)) letGo();
  }

  outcome(id: VertexId): Promise<Outcome> {
    const known = this.#outcomes.get(id);
    if (known !== undefined) return known;
    const vertex = this.#job.plan.vertices[id];
    if (vertex === undefined) throw new SampanError("internal", `Cannot build: the plan has no vertex ${id}`);
    const outcome = this.#shown(id, vertex);
    outcome.catch(() => undefined);
    this.#outcomes.set(id, outcome);
    return outcome;
  }

  /** Tells of the step while it is carried out. */
  async #shown(id: VertexId, vertex: Vertex): Promise<Outcome> {
    const step = this.#steps.get(id);
    const shown = { type: "step" as const, id: String(id), name: step?.name ?? vertex.kind };
    let started: number | undefined;
    const begin = () => {
      started = Date.now();
      this.#job.emit({ ...shown, started });
    };
    try {
      const outcome = await this.#solve(vertex, id, begin);
      const cached = outcome.cached ? { cached: true } : {};
      if (vertex.kind !== "scratch")
        this.#job.emit({ ...shown, started: started ?? Date.now(), completed: Date.now(), ...cached });
      return outcome;
    } catch (error) {
      const failure = asError(error);
      // It never began when an input has failed: that one tells why.
      if (failure instanceof StepFailed) throw failure;
      if (started !== undefined) this.#job.emit({ ...shown, started, completed: Date.now(), error: failure.message });
      if (step === undefined) throw failure;
      throw new StepFailed(String(id), step, this.#job.plan.source, failure);
    }
  }

  async #solve(vertex: Vertex, id: VertexId, begin: () => void): Promise<Outcome> {
    switch (vertex.kind) {
      case "scratch":
        return { stack: emptyStack, created: undefined, cached: false };
      case "image":
        begin();
        return await this.#image(vertex, String(id));
      case "context":
        throw new SampanError("internal", "Cannot use a build context as a file system");
      default: {
        const { stack: parent } = await this.outcome(vertex.parent);
        const step = await this.#layerStep(vertex, parent, String(id));
        return await this.#layer(vertex, { parent, step, id, begin });
      }
    }
  }

  async #image(vertex: ImageVertex, id: string): Promise<Outcome> {
    const { parts, hold, images } = this.#job;
    const here = images.get(imageKey(vertex));
    const image =
      here ?? (await this.#job.image(vertex.reference, vertex.platform, id).catch((error) => hinted(error, vertex)));
    if (image.virtual !== undefined) return { stack: hostOf(vertex, image), created: undefined, cached: false };
    // The new image's manifest says what the layers below are, and is to stay as it is.
    await compressMade(parts.tools, image.id, { progress: () => undefined, signal: this.#job.signal });
    const { layers } = await parentOf(parts.tools, hold, image.id);
    const diffIds = image.config.rootfs.diff_ids;
    const built = layers.flatMap(({ digest, size, mediaType }, index) => {
      const diffId = diffIds[index];
      return diffId === undefined ? [] : [{ diffId, digest, size, mediaType }];
    });
    return { stack: stackOf(built), created: undefined, cached: false };
  }

  async #layerStep(vertex: RunVertex | CopyVertex | WorkdirVertex, parent: Stack, id: string): Promise<LayerStep> {
    const stackOfVertex = async (input: VertexId) => (await this.outcome(input)).stack;
    switch (vertex.kind) {
      case "run":
        return await RunStep.prepare(this.#job, vertex, { parent, id, stackOfVertex });
      case "copy":
        return await CopyStep.prepare(this.#job, vertex, { parent, id, stackOfVertex });
      case "workdir": {
        const { path, user } = vertex;
        const { epoch, rewritesTimes } = this.#job;
        const key = keyOf({ kind: "workdir", parent: identityOf(parent), path, user, epoch, rewritesTimes });
        return { key, circumstances: "", perform: (workspace, job) => makeWorkdir(job, vertex, workspace) };
      }
    }
  }

  async #layer(
    vertex: RunVertex | CopyVertex | WorkdirVertex,
    { parent, step, id, begin }: { parent: Stack; step: LayerStep; id: VertexId; begin: () => void },
  ): Promise<Outcome> {
    const { cache, signal } = this.#job;
    this.#using.push(cache.use(step.key));
    const description = this.#steps.get(id)?.name ?? vertex.kind;
    const origin = { key: step.key, kind: vertex.kind, description, parent };
    const known = this.#isFresh(id) ? undefined : await this.#known(origin, id, begin);
    if (known !== undefined) {
      this.usedKeys.push(step.key);
      this.results.push({ key: step.key, ...known });
      return { ...known, cached: true };
    }
    if (signal.aborted) throw signal.reason;
    begin();
    const { cached, ...made } = await this.#carryOut({ step, origin, isFresh: this.#isFresh(id) }, id);
    if (cached) this.usedKeys.push(step.key);
    this.results.push({ key: step.key, ...made });
    return { ...made, cached };
  }

  /** Together with other builds that want the same at this time; alone where a step is to be carried out anew. */
  async #carryOut(wanted: WantedStep, id: VertexId) {
    const { hold, parts, signal, emit, ready, flights } = this.#job;
    const { step, origin, isFresh } = wanted;
    const { parent } = origin;
    const key = isFresh
      ? scratchName()
      : keyOf({ key: step.key, circumstances: step.circumstances, on: identityOf(parent) });
    const { flight, leave } = await flights.join(key, (abort) => {
      const own = new StepFlight(this.#job, wanted, abort);
      this.started.push(own);
      return own;
    });
    const stop = flight.follow({ ready, tell: (said) => emit({ type: "log", step: String(id), ...said }) });
    try {
      const { layer, created, cached } = await orCancelled(flight.done, signal);
      const stack = stackOf([...parent.layers, layer]);
      await parts.tools.garbage.add(hold, [layer.digest], stack.chains);
      return { stack, created, cached };
    } finally {
      stop();
      await leave();
    }
  }

  /** A result of before, of this machine or another; what comes from elsewhere is kept from now on. */
  async #known(origin: Omit<NewResult, "result">, id: VertexId, begin: () => void) {
    const { cache, hold, imported, signal } = this.#job;
    const { key, parent } = origin;
    const here = await cache.find(key, parent, hold);
    if (here !== undefined || !imported.has(key)) return here;
    begin();
    const found = await imported.find(key, parent, { hold, step: String(id), signal });
    if (found !== undefined) await cache.insert({ ...origin, result: found.stack, created: found.created }, hold);
    return found;
  }

  /** Whether a step is to be carried out whatever the cache knows. */
  #isFresh(id: VertexId): boolean {
    const { noCache } = this.#job;
    if (typeof noCache === "boolean") return noCache;
    const stage = this.#steps.get(id)?.stage;
    return stage !== undefined && noCache.includes(stage);
  }
}

/** The machine as a source of files. Its leave was asked for by its name (`checkEntitlements`): it has no other one here. */
function hostOf({ reference, platform }: ImageVertex, { config }: StoredImage): Stack {
  if (!isHostReference(reference)) {
    throw new SampanError(
      "unsupported",
      `Cannot build with ${reference}: it is this machine, which a build calls sampan/host`,
    );
  }
  if (suitability(platform, config) === undefined) {
    const [wanted, own] = [formatPlatform(platform), formatPlatform(config)];
    throw new SampanError("invalid", `Cannot use the files of sampan/host for ${wanted}: this machine is ${own}`);
  }
  return hostStack;
}

/** A pull that has failed may have been of a stage whose name is misspelt. */
function hinted(error: unknown, { reference, near }: ImageVertex): never {
  if (near === undefined) throw error;
  const message = `${messageOf(error)}; no stage is called ${reference}, did you mean ${near}?`;
  throw new SampanError(kindOf(error), message, { cause: error });
}

function asError(error: unknown): SampanError {
  return error instanceof SampanError ? error : new SampanError(kindOf(error), messageOf(error), { cause: error });
}
