import { SampanError } from "../../errors/index.ts";
import { closest } from "../../errors/suggest.ts";
import { formatPlatform, parsePlatform } from "../../images/platform.ts";
import type { ImageDefaults, Platform } from "../../images/types.ts";
import { expandWord } from "../dockerfile/expand.ts";
import { parseOnbuild } from "../dockerfile/parse.ts";
import { type GlobalScope, globalScope, proxyVariables, StageScope } from "../dockerfile/scope.ts";
import type { Dockerfile, SourceRange, Stage } from "../dockerfile/types.ts";
import type { GitReference } from "../git/reference.ts";
import { GraphBuilder, type StageState } from "./graph.ts";
import { StagePlanner } from "./stage.ts";
import type { BaseImage, NeededImage, Plan, PlannedResult, Step, VertexId } from "./types.ts";

/** A context that has a name (`--build-context`): files that were sent under it or lie in a repository, or an image. */
export type NamedContext =
  | { readonly kind: "files"; readonly repository?: GitReference }
  | { readonly kind: "image"; readonly reference: string };

export interface PlanOptions {
  readonly buildArgs: ReadonlyMap<string, string>;
  /** The name or number of the stage that is wanted; the last one when undefined. */
  readonly target: string | undefined;
  readonly buildPlatform: Platform;
  /** At least one. */
  readonly targetPlatforms: readonly Platform[];
  readonly contexts: Readonly<Record<string, NamedContext>>;
  /** By `imageKey`: what is known of base images. */
  readonly images: ReadonlyMap<string, BaseImage>;
}

/** The key of `PlanOptions.images`. */
export function imageKey({ reference, platform }: Pick<NeededImage, "reference" | "platform">): string {
  return JSON.stringify([reference, platform.os, platform.architecture, platform.variant ?? ""]);
}

/**
 * Makes the graph of a Dockerfile's target stage: stages that it does not need are not in it. Pure: base images that the
 * plan needs to know are answered instead of a plan, until `options.images` has them.
 */
export function planBuild(
  dockerfile: Dockerfile,
  options: PlanOptions,
): { readonly needs: readonly NeededImage[] } | { readonly plan: Plan } {
  const graph = new GraphBuilder();
  const stage = targetStage(dockerfile, options.target);
  const planned = options.targetPlatforms.map((targetPlatform) => {
    const planner = new Planner(graph, dockerfile, { ...options, targetPlatform });
    const { vertex, config, author, history, base, platform } = planner.stage(stage);
    const result: PlannedResult = { vertex, config, author, history, base, platform, target: targetPlatform };
    return { result, steps: planner.steps() };
  });
  const needs = [...graph.needed.values()];
  if (needs.length > 0) return { needs };
  const steps = once(planned.flatMap((one) => one.steps));
  const results = planned.map(({ result }) => result);
  return { plan: { vertices: graph.vertices, steps, results, source: dockerfile.source } };
}

/** A step that several platforms share is shown once, as that of the first. */
function once(steps: readonly Step[]): Step[] {
  const seen = new Set<VertexId>();
  return steps.filter(({ vertex }) => {
    if (vertex === undefined) return true;
    const isNew = !seen.has(vertex);
    seen.add(vertex);
    return isNew;
  });
}

/** The stage that `--target` names, by name or number; the last one without it. */
export function targetStage({ stages }: Dockerfile, target: string | undefined): Stage {
  const last = stages.at(-1);
  if (last === undefined) throw new SampanError("invalid", "the Dockerfile has no build stage");
  if (target === undefined || target === "") return last;
  const name = target.toLowerCase();
  const found = stages.findLast(({ from }) => from.name === name) ?? stages[/^\d+$/.test(target) ? Number(target) : -1];
  if (found === undefined) throw new SampanError("invalid", `target stage "${target}" could not be found`);
  return found;
}

interface StageStep {
  readonly stage: Stage;
  readonly instruction: string;
  readonly range: SourceRange;
  readonly vertex: VertexId | undefined;
}

/** What `FROM scratch` begins with. */
export const nothing: ImageDefaults = {
  Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
  WorkingDir: "/",
};

interface PlannerOptions extends PlanOptions {
  /** The one of `targetPlatforms` that is planned. */
  readonly targetPlatform: Platform;
}

/** Plans a Dockerfile for one platform, into a graph that others may be in. */
class Planner {
  readonly #graph: GraphBuilder;
  readonly #dockerfile: Dockerfile;
  readonly #options: PlannerOptions;
  readonly #globals: GlobalScope;
  readonly #states = new Map<number, StageState>();
  readonly #steps = new Map<number, StageStep[]>();
  /** Stages that are being planned: one that needs itself is found here. */
  readonly #open = new Set<number>();

  constructor(graph: GraphBuilder, dockerfile: Dockerfile, options: PlannerOptions) {
    this.#graph = graph;
    this.#dockerfile = dockerfile;
    this.#options = options;
    const target = options.target || dockerfile.stages.at(-1)?.from.name || "default";
    this.#globals = globalScope(dockerfile, { ...options, target });
  }

  stage(stage: Stage): StageState {
    const known = this.#states.get(stage.index);
    if (known !== undefined) return known;
    if (this.#open.has(stage.index)) {
      throw new SampanError("invalid", `circular dependency detected on stage: ${stage.from.name ?? stage.index}`);
    }
    this.#open.add(stage.index);
    const state = this.#plan(stage);
    this.#states.set(stage.index, state);
    return state;
  }

  /** In the order of the Dockerfile, numbered within their stages. */
  steps(): Step[] {
    const stages = [...this.#steps].sort(([a], [b]) => a - b);
    return stages.flatMap(([index, steps]) => {
      const working = steps.filter(({ vertex }) => vertex !== undefined);
      return steps.map((one) => {
        const { stage, instruction, range, vertex } = one;
        const place = `${working.indexOf(one) + 1}/${working.length}`;
        const label =
          stages.length > 1 || stage.from.name !== undefined ? `${stage.from.name ?? `stage-${index}`} ` : "";
        const name = `[${this.#platformLabel(index)}${label}${place}] ${instruction}`;
        return { name, instruction, stage: stage.from.name ?? String(index), vertex, range };
      });
    });
  }

  /** Which of several platforms a stage is for, as BuildKit shows it: "linux/amd64->arm64 " runs here and is for there. */
  #platformLabel(index: number): string {
    const { targetPlatforms, targetPlatform } = this.#options;
    if (targetPlatforms.length < 2) return "";
    const own = this.#states.get(index)?.platform ?? targetPlatform;
    const [text, target] = [formatPlatform(own), formatPlatform(targetPlatform)];
    return text === target ? `${text} ` : `${text}->${target.slice(target.indexOf("/") + 1)} `;
  }

  #plan(stage: Stage): StageState {
    const { platform: asked, base } = stage.from;
    const platform = asked && parsePlatform(expandWord(asked, this.#globals));
    const reference = expandWord(base, this.#globals);
    if (reference === "") throw new SampanError("invalid", `base name (${base.raw}) should not be blank`);
    const steps: StageStep[] = [];
    const start = this.#base(stage, reference, platform ?? this.#options.targetPlatform);
    steps.push({ stage, instruction: stage.from.original, range: stage.from.range, vertex: start.vertex });
    const triggers = (start.config.OnBuild ?? []).map((expression) => parseOnbuild(expression).instruction);
    const { OnBuild: _done, ...config } = start.config;
    const { buildArgs } = this.#options;
    const scope = new StageScope(this.#globals, buildArgs, start.scope ?? variablesOf(config.Env ?? []));
    const planner = new StagePlanner(
      { ...start, config },
      {
        graph: this.#graph,
        scope,
        context: this.#context(""),
        proxies: [...proxyVariables(buildArgs)].map((pair) => pair.join("=")),
        from: (name) => this.#from(name, stage),
        step: (instruction, vertex) => {
          // Triggers of a base image are not in this file.
          const { range } = triggers.includes(instruction) ? stage.from : instruction;
          steps.push({ stage, instruction: instruction.original, range, vertex });
        },
      },
    );
    for (const instruction of [...triggers, ...stage.instructions]) planner.add(instruction);
    this.#steps.set(stage.index, steps);
    return { ...planner.state, scope };
  }

  #base(stage: Stage, reference: string, platform: Platform): StageState {
    const empty = { author: undefined, history: [], base: undefined, platform };
    const named = this.#named(reference);
    if (named?.kind === "files") return { ...empty, vertex: this.#filesOf(reference), config: nothing };
    const earlier = this.#dockerfile.stages.findLast(
      ({ index, from }) => index < stage.index && from.name === reference.toLowerCase(),
    );
    if (earlier !== undefined && named === undefined) return this.stage(earlier);
    if (reference === "scratch") return { ...empty, vertex: this.#graph.add({ kind: "scratch" }), config: nothing };
    const wanted = { reference: named?.reference ?? reference, platform };
    const vertex = this.#graph.add({ kind: "image", ...wanted, near: undefined });
    const image = this.#options.images.get(imageKey(wanted));
    if (image === undefined) {
      this.#graph.need({ ...wanted, range: stage.from.range });
      return { ...empty, vertex, config: {} };
    }
    const { config, author, history } = image;
    return { vertex, config, author, history: [...history], base: image, platform: image.platform };
  }

  /** A file system that consists of a context's files. */
  #filesOf(name: string): VertexId {
    const from = this.#context(name);
    const none = { chown: undefined, chmod: undefined, checksum: undefined, exclude: [] };
    const off = { link: false, parents: false, unpack: false, keepGitDir: false };
    const sources = [{ kind: "path" as const, from, path: "/" }];
    const parent = this.#graph.add({ kind: "scratch" });
    return this.#graph.add({ kind: "copy", parent, sources, destination: "/", ...none, ...off });
  }

  /** What `--from` names. */
  #from(name: string, stage: Stage): VertexId {
    const named = this.#named(name);
    if (named?.kind === "files") return this.#context(name);
    const { stages } = this.#dockerfile;
    const byNumber = /^\d+$/.test(name) ? stages[Number(name)] : undefined;
    const found = named ? undefined : (stages.findLast(({ from }) => from.name === name.toLowerCase()) ?? byNumber);
    if (found !== undefined && found.index >= stage.index) {
      const why = found === stage ? "it is the stage itself" : "it comes later";
      throw new SampanError("invalid", `invalid from flag value ${name}: ${why}`);
    }
    if (found !== undefined) return this.stage(found).vertex;
    if (/^\d+$/.test(name)) throw new SampanError("invalid", `invalid from flag value ${name}: there is no such stage`);
    if (name === "scratch") return this.#graph.add({ kind: "scratch" });
    const reference = named?.reference ?? name;
    const names = stages.slice(0, stage.index).flatMap(({ from }) => from.name ?? []);
    const near = closest(name.toLowerCase(), names);
    return this.#graph.add({ kind: "image", reference, platform: this.#options.targetPlatform, near });
  }

  #named(name: string): NamedContext | undefined {
    const { contexts } = this.#options;
    return Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  }

  #context(name: string): VertexId {
    return this.#graph.add({ kind: "context", name });
  }
}

/** "NAME=value" as pairs. */
export function variablesOf(env: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    env.map((text) => {
      const end = text.indexOf("=");
      return end < 0 ? [text, ""] : [text.slice(0, end), text.slice(end + 1)];
    }),
  );
}
