import { formatPlatform } from "../../images/platform.ts";
import type { Platform } from "../../images/types.ts";
import { type Expansion, expandWord } from "./expand.ts";
import type { ArgInstruction, Dockerfile, EnvInstruction, KeyValue } from "./types.ts";

/** What a build brings to the variables. */
export interface BuildVariables {
  /** `--build-arg`. */
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly buildPlatform: Platform;
  readonly targetPlatform: Platform;
  /** The name of the stage that is built; "default" without `--target` when the last one has no name. */
  readonly target: string;
}

/** Variables that `FROM` lines see, and that an `ARG NAME` in a stage takes its value from. */
export interface GlobalScope extends Expansion {
  readonly variables: ReadonlyMap<string, string>;
  /** All names, those without a value too: what `FROM` may use without being warned. */
  readonly declared: ReadonlySet<string>;
}

/** The automatic platform variables and the `ARG`s before the first `FROM`, in order. */
export function globalScope(dockerfile: Dockerfile, build: BuildVariables): GlobalScope {
  const variables = new Map(Object.entries(platformVariables(build)));
  for (const name of variables.keys()) variables.set(name, build.buildArgs.get(name) ?? variables.get(name) ?? "");
  const declared = new Set(variables.keys());
  const { source, directives } = dockerfile;
  const scope = {
    source,
    escape: directives.escape,
    variables,
    declared,
    lookup: (name: string) => variables.get(name),
  };
  for (const { args } of dockerfile.globals) {
    for (const { key, value } of args) {
      const given = build.buildArgs.get(key.raw);
      declared.add(key.raw);
      if (given !== undefined) variables.set(key.raw, given);
      else if (value !== undefined) variables.set(key.raw, expandWord(value, scope));
    }
  }
  return scope;
}

function platformVariables({ buildPlatform, targetPlatform, target }: BuildVariables): Record<string, string> {
  const of = (side: string, platform: Platform) => ({
    [`${side}PLATFORM`]: formatPlatform(platform),
    [`${side}OS`]: platform.os,
    [`${side}OSVERSION`]: platform["os.version"] ?? "",
    [`${side}ARCH`]: platform.architecture,
    [`${side}VARIANT`]: platform.variant ?? "",
  });
  return { ...of("BUILD", buildPlatform), ...of("TARGET", targetPlatform), TARGETSTAGE: target };
}

/** Scanners of BuildKit's read these; they are no variables of the build's commands. */
const notForCommands = ["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"];

/** Proxies need no `ARG`: commands have them, and neither history nor cache key shows them. */
const proxies = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"];

/** The proxy variables among the build arguments, as `RUN` gets them: in both cases. */
export function proxyVariables(buildArgs: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map(
    proxies.flatMap((name): (readonly [string, string])[] => {
      const lower = name.toLowerCase();
      const value = buildArgs.get(name) ?? buildArgs.get(lower);
      return value === undefined
        ? []
        : [
            [name, value],
            [lower, buildArgs.get(lower) ?? value],
          ];
    }),
  );
}

/** Where a stage begins: the variables of its base image or of the stage that it continues. */
export type StageBase = StageScope | ReadonlyMap<string, string>;

/**
 * The variables of one stage, instruction by instruction: environment and build arguments. Continuing a stage
 * (`FROM other-stage`) inherits both; build arguments are only seen after their `ARG`.
 */
export class StageScope implements Expansion {
  readonly source: Expansion["source"];
  readonly escape: Expansion["escape"];
  readonly #globals: GlobalScope;
  readonly #buildArgs: ReadonlyMap<string, string>;
  readonly #variables: Map<string, string>;
  readonly #environment: Map<string, string>;
  readonly #arguments: Map<string, string>;

  constructor(globals: GlobalScope, buildArgs: ReadonlyMap<string, string>, base: StageBase) {
    this.source = globals.source;
    this.escape = globals.escape;
    this.#globals = globals;
    this.#buildArgs = buildArgs;
    const inherited = base instanceof StageScope ? base : undefined;
    this.#environment = new Map(base instanceof StageScope ? base.environment : base);
    this.#variables = new Map(inherited?.variables ?? this.#environment);
    this.#arguments = new Map(inherited?.arguments);
  }

  lookup(name: string): string | undefined {
    return this.#variables.get(name);
  }

  /** What goes into the image's configuration: `ENV` and the base image's. */
  get environment(): ReadonlyMap<string, string> {
    return this.#environment;
  }

  /** What commands of `RUN` have, and words are expanded with: environment and build arguments. */
  get variables(): ReadonlyMap<string, string> {
    return this.#variables;
  }

  /** The build arguments that were declared so far, with their current values ("" without one): `|1 NAME=value` in the history of `RUN`. */
  get arguments(): ReadonlyMap<string, string> {
    return new Map([...this.#arguments].map(([name, value]) => [name, this.#variables.get(name) ?? value]));
  }

  /** Declares the variables of an `ARG`. Answers `NAME=value` or `NAME` of each, as the history shows them. */
  arg({ args }: ArgInstruction, scope: Expansion = this): readonly string[] {
    return args.map(({ key, value }) => {
      const name = expandWord(key, scope);
      const given = this.#buildArgs.get(name);
      const current = given ?? (value === undefined ? this.#globals.variables.get(name) : expandWord(value, scope));
      this.#arguments.set(name, current ?? "");
      if (current === undefined) return name;
      if (!notForCommands.includes(name)) this.#variables.set(name, current);
      return `${name}=${current}`;
    });
  }

  /** Sets the variables of an `ENV`; all see the values from before the instruction. Answers the pairs. */
  env({ pairs }: EnvInstruction, scope: Expansion = this): readonly (readonly [name: string, value: string])[] {
    const expanded = expandPairs(pairs, scope);
    for (const [name, value] of expanded) {
      this.#variables.set(name, value);
      this.#environment.set(name, value);
    }
    return expanded;
  }
}

/** Names and values of `ENV` and `LABEL`, expanded. */
export function expandPairs(
  pairs: readonly KeyValue[],
  scope: Expansion,
): readonly (readonly [name: string, value: string])[] {
  return pairs.map(({ key, value }) => [expandWord(key, scope), expandWord(value, scope)] as const);
}
