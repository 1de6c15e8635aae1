import type { Executor } from "../../kernel/executor.ts";
import { ContextTree } from "../files/context-tree.ts";
import { GitSource } from "../git/fetch.ts";
import { type GitReference, shownReference } from "../git/reference.ts";
import type { Plan } from "../plan/types.ts";
import { asStep } from "../progress/as-step.ts";
import type { BuildRequest, BuildSettings } from "../types.ts";

/** Contexts by name that are neither here nor images. */
export interface NamedTrees extends AsyncDisposable {
  readonly trees: ReadonlyMap<string, ContextTree>;
}

interface NamedMeans {
  readonly executor: Executor;
  readonly scratch: string;
  readonly settings: BuildSettings;
}

/** Fetches the repositories among a build's contexts (`--build-context NAME=https://….git`), those that its plan needs. */
export async function obtainNamed(
  { signal, emit }: Pick<BuildRequest, "signal" | "emit">,
  plan: Pick<Plan, "vertices">,
  { executor, scratch, settings }: NamedMeans,
): Promise<NamedTrees> {
  const closing = new AsyncDisposableStack();
  const needed = new Set(plan.vertices.flatMap((vertex) => (vertex.kind === "context" ? [vertex.name] : [])));
  const open = async (name: string, reference: GitReference): Promise<[string, ContextTree]> => {
    const shown = { id: `context ${name}`, name: `[context ${name}] load git source ${shownReference(reference)}` };
    return await asStep(emit, shown, async (tell) => {
      const source = await GitSource.resolve(reference, { ...settings, executor, scratch, signal, tell });
      return [name, new ContextTree(closing.use(await source.open()), () => false)];
    });
  };
  const opening = Object.entries(settings.contexts).flatMap(([name, context]) =>
    context.kind === "files" && context.repository !== undefined && needed.has(name)
      ? [open(name, context.repository)]
      : [],
  );
  const opened = await Promise.allSettled(opening);
  try {
    const trees = new Map(opened.map((one) => (one.status === "fulfilled" ? one.value : fail(one.reason))));
    return { trees, [Symbol.asyncDispose]: () => closing.disposeAsync() };
  } catch (error) {
    await closing.disposeAsync();
    throw error;
  }
}

function fail(reason: unknown): never {
  throw reason;
}
