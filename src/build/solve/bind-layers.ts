import { chmod, mkdir, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { LayersMount } from "../../runtime/types.ts";
import { scratchName } from "../cache/mounts.ts";
import type { SourceTree } from "../files/source-tree.ts";
import type { VertexId } from "../plan/types.ts";
import type { StepInputs } from "./copy.ts";
import type { Job } from "./job.ts";
import { cleanSource, contextOf, copyFound, type FoundPart, mustFind, type Part } from "./mount-sources.ts";
import { emptyStack, type Stack } from "./stack.ts";
import { stackTree } from "./trees.ts";
import { Workspace } from "./workspace.ts";

/** The part of what is laid over each other that is seen. */
type Shown = Pick<LayersMount, "subpath" | "sourceIsDirectory">;

interface Bind extends Part {
  readonly target: string;
  readonly readOnly: boolean;
}

/**
 * What a RUN sees of a stage, an image or a context, without a copy of its own: the layers themselves, or the one copy that a
 * build makes of its context. What it writes there goes into an upper directory, and away with it (`closing`).
 */
export async function layersMount(
  job: Job,
  bind: Bind,
  { inputs, closing }: { readonly inputs: StepInputs; readonly closing: AsyncDisposableStack },
): Promise<LayersMount> {
  const context = contextOf(job, bind.from);
  const stack = context === undefined ? await inputs.stackOfVertex(bind.from) : emptyStack;
  const { shown, lower } =
    context === undefined
      ? { shown: await shownOf(job, stack, bind.source), lower: [] }
      : await job.contextParts.show(job, context, bind);
  const workspace = closing.use(await Workspace.open(job.parts, stack));
  const { lower: layers, upper, options = [] } = workspace.root({ bare: true });
  const all = [...lower, ...layers];
  // overlayfs wants two directories where there is no upper one.
  const least = bind.readOnly ? 2 : 1;
  while (all.length < least) all.push(await emptyDirectory(job));
  const writable = bind.readOnly || upper === "throw-away" ? undefined : upper;
  return { type: "layers", target: bind.target, lower: all, upper: writable, options, ...shown };
}

async function shownOf(job: Job, stack: Stack, source: string): Promise<Shown> {
  if (cleanSource(source) === "") return { subpath: "", sourceIsDirectory: true };
  await using opened = await stackTree(job, stack);
  const { path, stat } = await mustFind(opened.tree, source);
  return { subpath: path, sourceIsDirectory: stat.type === "directory" };
}

async function emptyDirectory({ scratch }: Job): Promise<string> {
  const directory = join(scratch, scratchName());
  await mkdir(directory, { recursive: true, mode: 0o755 });
  return directory;
}

/** Parts of build contexts as directories of the machine, each made once for all RUNs of a build that mount it. */
export class ContextParts {
  readonly #made = new Map<string, Promise<{ readonly directory: string; readonly name: string }>>();

  async show(job: Job, context: SourceTree, { from, source }: Part): Promise<{ shown: Shown; lower: string[] }> {
    const { directory, name } = await this.#directoryOf(job, context, { from, source });
    return { shown: { subpath: name, sourceIsDirectory: name === "" }, lower: [directory] };
  }

  async #directoryOf(job: Job, context: SourceTree, { from, source }: { from: VertexId; source: string }) {
    const found = await mustFind(context, source);
    const key = `${from}:${found.path}`;
    const known = this.#made.get(key);
    if (known !== undefined) return await known;
    const making = this.#make(job, context, found);
    this.#made.set(key, making);
    return await making;
  }

  async #make(job: Job, context: SourceTree, found: FoundPart) {
    const directory = await emptyDirectory(job);
    const name = await copyFound(job, context, found, directory);
    const { type, mode, mtime } = found.stat;
    if (type === "directory") {
      await chmod(directory, mode);
      await utimes(directory, mtime.seconds, mtime.seconds);
    }
    return { directory, name };
  }
}
