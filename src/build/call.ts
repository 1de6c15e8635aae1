import { SampanError } from "../errors/index.ts";
import { hostPlatform } from "../images/platform.ts";
import type { ImageStore } from "../images/types.ts";
import { type BuildVariables, excerpt, lint, lintFailure, outline, targets } from "./dockerfile/index.ts";
import type { Dockerfile, Lint } from "./dockerfile/types.ts";
import type { PatternMatcher } from "./ignore/index.ts";
import { nothing, targetStage, variablesOf } from "./plan/plan.ts";
import type { BuildRequest, BuildResult } from "./types.ts";

/** A Dockerfile that is looked at. */
export interface Looked {
  readonly dockerfile: Dockerfile;
  readonly ignore: PatternMatcher;
  readonly images: Pick<ImageStore, "resolve">;
}

/** Answers what is asked about a Dockerfile; nothing is built or fetched. */
export function answerCall(
  request: BuildRequest,
  call: Exclude<BuildRequest["call"], "build">,
  looked: Looked,
): BuildResult {
  tellLints(request, looked);
  const { dockerfile } = looked;
  const stage = request.target ? targetStage(dockerfile, request.target) : undefined;
  const found = {
    check: () => ({}),
    outline: () => ({ outline: outline(dockerfile, variables(request, dockerfile), stage) }),
    targets: () => ({ targets: targets(dockerfile) }),
  };
  return { id: undefined, digest: undefined, tags: [], stream: undefined, content: undefined, metadata: found[call]() };
}

/** Tells what the lints say; "invalid" when the file asks for failing then. */
export function tellLints(request: BuildRequest, { dockerfile, ignore, images }: Looked): void {
  const lints = lint(dockerfile, {
    build: variables(request, dockerfile),
    ignore: ignore.isEmpty ? undefined : ignore,
    baseEnvironment: (_stage, base) => environmentOf(images, base),
  });
  for (const one of lints) request.emit(lintEvent(dockerfile, one));
  const failure = lintFailure(dockerfile, lints);
  if (failure !== undefined) throw new SampanError("invalid", failure);
}

function lintEvent({ source }: Dockerfile, one: Lint) {
  return { type: "lint" as const, lint: one, file: source.name, source: excerpt(source, one.range) };
}

function variables(
  { buildArgs, platforms: [platform = hostPlatform()], target }: BuildRequest,
  { stages }: Dockerfile,
): BuildVariables {
  const platforms = { buildPlatform: hostPlatform(), targetPlatform: platform };
  return { buildArgs, target: target || stages.at(-1)?.from.name || "default", ...platforms };
}

/** Of a base image that is here. */
function environmentOf(images: Looked["images"], base: string): ReadonlyMap<string, string> | undefined {
  if (base === "scratch") return variablesOf(nothing.Env ?? []);
  try {
    return variablesOf(images.resolve(base).config.config?.Env ?? []);
  } catch {
    return undefined;
  }
}
