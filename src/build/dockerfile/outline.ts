import { descriptionOf } from "./instructions/description.ts";
import { readMount } from "./mount.ts";
import { type BuildVariables, globalScope } from "./scope.ts";
import type { Dockerfile, RunInstruction, Stage } from "./types.ts";

/** What `--call=targets` lists: a stage that can be built. */
export interface Target {
  readonly name: string;
  /** What a build without `--target` makes. */
  readonly default: boolean;
  readonly description: string;
  readonly base: string;
  readonly platform: string;
}

/** What `--call=outline` shows: what a build of one target may be given. */
export interface Outline {
  readonly name: string;
  readonly description: string;
  readonly args: readonly { readonly name: string; readonly value: string; readonly description: string }[];
  readonly secrets: readonly { readonly name: string; readonly required: boolean }[];
  readonly ssh: readonly { readonly name: string; readonly required: boolean }[];
}

/** The stages of a file. */
export function targets({ stages }: Dockerfile): readonly Target[] {
  return stages.map(({ index, from, description }) => ({
    name: from.name ?? "",
    default: index === stages.length - 1,
    description: description ?? "",
    base: from.base.raw,
    platform: from.platform?.raw ?? "",
  }));
}

/**
 * The arguments, secrets and agents that a target and the stages below it take.
 *
 * @param target undefined: the last stage
 */
export function outline(dockerfile: Dockerfile, build: BuildVariables, target: Stage | undefined): Outline {
  const last = target ?? dockerfile.stages.at(-1);
  const used = last === undefined ? [] : reachable(dockerfile.stages, last);
  const globals = globalScope(dockerfile, build);
  const declarations = [...dockerfile.globals, ...used.flatMap(({ instructions }) => instructions)];
  const args = new Map<string, Outline["args"][number]>();
  for (const instruction of declarations) {
    if (instruction.kind !== "ARG") continue;
    for (const { key, value } of instruction.args) {
      const known = args.get(key.raw);
      const given = build.buildArgs.get(key.raw) ?? globals.lookup(key.raw);
      const description = descriptionOf(instruction.comments, key.raw) ?? known?.description ?? "";
      args.set(key.raw, { name: key.raw, value: given ?? value?.raw ?? known?.value ?? "", description });
    }
  }
  const runs = used.flatMap(({ instructions }) => instructions.filter((one) => one.kind === "RUN"));
  return {
    name: last?.from.name ?? "",
    description: last?.description ?? "",
    args: [...args.values()],
    secrets: mountsOf(runs, "secret"),
    ssh: mountsOf(runs, "ssh"),
  };
}

/** A stage and all that it is made from or copies from. */
function reachable(stages: readonly Stage[], from: Stage): readonly Stage[] {
  const found = new Set<Stage>();
  const visit = (stage: Stage | undefined): void => {
    if (stage === undefined || found.has(stage)) return;
    found.add(stage);
    for (const name of sourcesOf(stage)) {
      visit(stages.find((one) => one.index < stage.index && (one.from.name === name || String(one.index) === name)));
    }
  };
  visit(from);
  return [...found].sort((a, b) => a.index - b.index);
}

function sourcesOf({ from, instructions }: Stage): readonly string[] {
  const names = instructions.flatMap((instruction) => {
    if (instruction.kind === "COPY") return instruction.from?.raw ?? [];
    if (instruction.kind !== "RUN") return [];
    return instruction.mounts.flatMap(({ fields }) => fields.find(({ key }) => key === "from")?.value?.raw ?? []);
  });
  return [from.base.raw, ...names].map((name) => name.toLowerCase());
}

const naming = ["type", "id", "source", "src", "target", "dst", "destination", "required", "env"];

function mountsOf(runs: readonly RunInstruction[], type: "secret" | "ssh"): Outline["secrets"] {
  const found = new Map<string, boolean>();
  for (const { mounts } of runs) {
    for (const flag of mounts) {
      // Others may be variables, and then no numbers.
      const fields = flag.fields.filter(({ key }) => naming.includes(key));
      const mount = readMount({ ...flag, fields }, ({ raw }) => raw);
      if (mount.type === type) found.set(mount.id, (found.get(mount.id) ?? false) || mount.required);
    }
  }
  return [...found].map(([name, required]) => ({ name, required }));
}
