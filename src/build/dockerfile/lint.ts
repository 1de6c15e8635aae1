import { closest } from "../../errors/suggest.ts";
import type { PatternMatcher } from "../ignore/index.ts";
import { expand } from "./expand.ts";
import { checkFrom, checkGlobals } from "./lint-from.ts";
import { checkInstruction } from "./lint-instruction.ts";
import { Linter } from "./linter.ts";
import { type BuildVariables, globalScope, StageScope } from "./scope.ts";
import type { Dockerfile, Lint, Stage } from "./types.ts";
import { unmatchedIn } from "./unmatched.ts";

/** What lints depend on besides the file. */
export interface LintOptions {
  readonly build: BuildVariables;
  /** The context's `.dockerignore`; undefined when there is none. */
  readonly ignore: PatternMatcher | undefined;
  /** The environment of a base image; undefined when it is not known: then nothing is said of variables it may have. */
  baseEnvironment(stage: Stage, base: string): ReadonlyMap<string, string> | undefined;
}

/** Variables that only BuildKit's scanners read. */
const scanners = ["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"];

/** What a stage hands to one that continues it. */
interface Done {
  readonly scope: StageScope;
  /** Its base image's environment is known. */
  readonly known: boolean;
  readonly workdir: boolean;
}

/**
 * All lints of a file, those of its parsing included, as `docker build --check` finds them.
 *
 * @throws {DockerfileError} when a word cannot be expanded
 */
export function lint(dockerfile: Dockerfile, options: LintOptions): readonly Lint[] {
  const linter = new Linter(dockerfile.directives.check);
  checkGlobals(dockerfile, options.build, linter);
  const globals = globalScope(dockerfile, options.build);
  const done = new Map<string, Done>();
  for (const stage of dockerfile.stages) {
    checkFrom(stage, globals, linter);
    const base = expand(stage.from.base, globals).text;
    const parent = done.get(base.toLowerCase());
    const environment = parent === undefined ? options.baseEnvironment(stage, base) : undefined;
    const scope = new StageScope(globals, options.build.buildArgs, parent?.scope ?? environment ?? new Map());
    const known = parent?.known ?? environment !== undefined;
    const workdir = checkStage(stage, { scope, known, workdir: parent?.workdir ?? false }, { linter, options });
    if (stage.from.name !== undefined) done.set(stage.from.name, { scope, known, workdir });
  }
  return [...dockerfile.lints, ...linter.lints];
}

/** Goes through a stage; answers whether it has set a working directory. */
function checkStage(
  { instructions }: Stage,
  { scope, known, workdir }: Done,
  { linter, options }: { readonly linter: Linter; readonly options: LintOptions },
): boolean {
  const state = { workdir, shell: false };
  for (const instruction of instructions) {
    if (known) {
      for (const { name, range } of unmatchedIn(instruction, scope)) {
        if (scope.arguments.has(name) || scanners.includes(name)) continue;
        const near = closest(name, [...scope.variables.keys(), ...scope.arguments.keys()]);
        const hint = near === undefined ? "" : ` (did you mean $${near}?)`;
        const at = { range, comments: instruction.comments };
        linter.report("UndefinedVar", `Usage of undefined variable '$${name}'${hint}`, at);
      }
    }
    checkInstruction(instruction, { scope, linter, ignore: options.ignore, state });
    if (instruction.kind === "ARG") scope.arg(instruction);
    if (instruction.kind === "ENV") scope.env(instruction);
    if (instruction.kind === "SHELL") state.shell = true;
    if (instruction.kind === "WORKDIR") state.workdir = true;
  }
  return state.workdir;
}

/** Why lints make the build fail, when the file asks for that; undefined when they do not. */
export function lintFailure(dockerfile: Dockerfile, lints: readonly Lint[]): string | undefined {
  if (!dockerfile.directives.check.error || lints.length === 0) return undefined;
  const names = [...new Set(lints.map(({ rule }) => rule))];
  return `lint violation found for rules: ${names.join(", ")}`;
}
