import { posix } from "node:path";
import { SampanError } from "../../errors/index.ts";
import { Destination } from "../files/destination.ts";
import { type Found, findSources } from "../files/find.ts";
import { modeChange } from "../files/mode.ts";
import { bytesOf, type Selection, type SourceTree, textOf } from "../files/source-tree.ts";
import { PatternMatcher } from "../ignore/index.ts";
import type { CopyVertex, PlannedSource, VertexId } from "../plan/types.ts";
import { archiveIn } from "./archive.ts";
import { fetchFile, fetchRepository } from "./fetch.ts";
import type { LayerStep } from "./flight.ts";
import type { Job } from "./job.ts";
import { keyOf } from "./key.ts";
import { ownerOf } from "./owner.ts";
import { identityOf, type Stack } from "./stack.ts";
import { timeOf } from "./time.ts";
import { inlineTree, type OpenTree, stackTree } from "./trees.ts";
import type { Workspace } from "./workspace.ts";

/** What a step is prepared with. */
export interface StepInputs {
  readonly parent: Stack;
  /** Of the vertex, for progress. */
  readonly id: string;
  stackOfVertex(id: VertexId): Promise<Stack>;
}

/** A source whose tree can be opened, and what is looked for in it. */
interface Source {
  /** What the tree is called; undefined: its content is looked at every time. */
  readonly tree?: string | undefined;
  /** What stands for the content, where that is known without looking at it. */
  readonly hash?: string;
  readonly path: string;
  /** Whether an archive found here is unpacked. */
  readonly unpack: boolean;
  /** `job`: whose signal ends that. */
  open(job: Job): Promise<OpenTree>;
}

/** COPY and ADD. */
export class CopyStep implements LayerStep {
  readonly key: string;
  readonly circumstances = "";
  readonly #vertex: CopyVertex;
  readonly #sources: readonly Source[];

  private constructor(vertex: CopyVertex, sources: readonly Source[], key: string) {
    this.#vertex = vertex;
    this.#sources = sources;
    this.key = key;
  }

  /** Looks at everything that is to be copied: its content is the key. */
  static async prepare(job: Job, vertex: CopyVertex, inputs: StepInputs): Promise<CopyStep> {
    const sources = await Promise.all(vertex.sources.map((source) => openable(job, vertex, source, inputs)));
    const hashes: string[] = [];
    for (const source of sources) hashes.push(await hashOf(job, vertex, source));
    const { destination, chown, chmod, link, parents, exclude } = vertex;
    const unpack = sources.map((source) => source.unpack);
    // What --link copies does not depend on what it is copied onto.
    const on = link ? "link" : identityOf(inputs.parent);
    const named = link && chown !== undefined && !/^[\d:]+$/.test(chown) ? identityOf(inputs.parent) : on;
    const what = {
      kind: "copy",
      on: named,
      hashes,
      destination,
      chown,
      chmod,
      parents,
      exclude,
      unpack,
      epoch: job.epoch,
      rewritesTimes: job.rewritesTimes,
    };
    return new CopyStep(vertex, sources, keyOf(what));
  }

  async perform(workspace: Workspace, job: Job): Promise<void> {
    const { chown, chmod, destination, link } = this.#vertex;
    const owner = chown === undefined ? undefined : await ownerOf(job, chown, workspace);
    const mode = chmod === undefined ? (bits: number) => bits : modeChange(chmod);
    const purpose = `copy to ${destination}`;
    const session = link ? await workspace.enterLayer(purpose) : await workspace.enter(purpose);
    try {
      const to = new Destination(session, purpose, { owner, mode }, timeOf(job));
      for (const source of this.#sources) await this.#copy(source, to, job);
    } finally {
      session.close();
    }
  }

  async #copy(source: Source, to: Destination, job: Job): Promise<void> {
    await using opened = await source.open(job);
    const found = await findSources(opened.tree, source.path);
    const several = found.length > 1 || this.#sources.length > 1;
    for (const one of found) {
      if (job.signal.aborted) throw job.signal.reason;
      const archive = source.unpack && one.stat.type === "file" ? await archiveIn(opened, one.path) : undefined;
      if (archive !== undefined) {
        await to.makeDirectory(this.#vertex.destination);
        await to.write(this.#vertex.destination, archive);
      } else if (this.#vertex.parents) await this.#withParents(opened.tree, { one, written: source.path }, to);
      else if (one.stat.type === "directory") await this.#directory(opened.tree, one, to);
      else await this.#file(opened.tree, one, { to, several });
    }
  }

  async #directory(tree: SourceTree, { path, stat }: Found, to: Destination): Promise<void> {
    const { destination } = this.#vertex;
    // Its contents are copied, not the directory itself.
    await to.makeDirectory(destination, { copied: true });
    await to.write(destination, (to) => tree.copy(this.#selection(path, ""), to));
    await to.date(destination, stat.mtime);
  }

  async #file(tree: SourceTree, { path, written }: Found, { to, several }: { to: Destination; several: boolean }) {
    const { destination } = this.#vertex;
    const inside = destination.endsWith("/") || (await to.isDirectory(destination));
    if (several && !inside) {
      const kind = this.#vertex.unpack === false ? "COPY" : "ADD";
      const text = `When using ${kind} with more than one source file, the destination must be a directory and end with a /`;
      throw new SampanError("invalid", `${text}, which ${destination} does not`);
    }
    const target = inside ? undefined : await to.fileAt(destination);
    const directory = target === undefined ? destination : posix.dirname(target);
    const name = target === undefined ? (written.split("/").at(-1) ?? "") : bytesOf(posix.basename(target));
    await to.makeDirectory(directory);
    await to.write(directory, (to) => tree.copy(this.#selection(path, name), to));
  }

  /** --parents: the path from the root, or from "./" in it, is kept. */
  async #withParents(tree: SourceTree, { one, written }: { one: Found; written: string }, to: Destination) {
    const pivot = written.lastIndexOf("/./");
    const above =
      pivot < 0
        ? 0
        : posix
            .normalize(`/${written.slice(0, pivot)}`)
            .split("/")
            .filter(Boolean).length;
    const names = one.written.split("/").filter(Boolean).slice(above);
    const { destination } = this.#vertex;
    await to.makeDirectory(destination);
    await to.write(destination, async (to) => {
      const prefix = one.written.split("/").filter(Boolean).slice(0, above);
      for (let count = 1; count < names.length; count++) {
        const stat = await tree.stat([...prefix, ...names.slice(0, count)].join("/"));
        if (stat?.type === "directory")
          await to.entry({ ...stat, name: names.slice(0, count).join("/"), sparse: false });
      }
      await tree.copy(this.#selection(one.path, names.join("/")), to);
    });
  }

  #selection(path: string, as: string): Selection {
    return { path, as, excludes: excluder(this.#vertex.exclude) };
  }
}

function excluder(patterns: readonly string[]): (name: string) => boolean {
  if (patterns.length === 0) return () => false;
  const matcher = new PatternMatcher(patterns);
  return (name) => matcher.matches(textOf(name));
}

async function openable(job: Job, vertex: CopyVertex, source: PlannedSource, inputs: StepInputs): Promise<Source> {
  if (source.kind === "inline") {
    const open = async () => inlineTree(source.name, Buffer.from(source.content), timeOf(job));
    return { path: source.name, unpack: false, open };
  }
  if (source.kind === "http") return await fetchFile(job, vertex, source.url, inputs.id);
  if (source.kind === "git") return await fetchRepository(job, vertex, source.reference, inputs.id);
  const { from, path } = source;
  const unpack = vertex.unpack === "local" || vertex.unpack === true;
  const context = job.plan.vertices[from];
  if (context?.kind === "context") {
    const tree = job.contexts.get(context.name);
    if (tree === undefined) throw new SampanError("invalid", `Cannot copy ${path}: there is no build context`);
    return { path, unpack, open: async () => ({ tree, read: (at) => tree.read(at), ...none }) };
  }
  const stack = await inputs.stackOfVertex(from);
  const tree = stack.host ? undefined : identityOf(stack);
  return { tree, path, unpack: false, open: () => stackTree(job, stack) };
}

const none: AsyncDisposable = { async [Symbol.asyncDispose]() {} };

/** The content of everything that a source names, and the names that it gets. */
async function hashOf(job: Job, vertex: CopyVertex, source: Source): Promise<string> {
  const { cache } = job;
  if (source.hash !== undefined) return source.hash;
  const selection = JSON.stringify([source.path, vertex.exclude, vertex.parents]);
  const known = source.tree === undefined ? undefined : cache.records.hash(source.tree, selection);
  if (known !== undefined) return known;
  await using opened = await source.open(job);
  const parts: unknown[] = [];
  for (const { path, written, stat } of await findSources(opened.tree, source.path)) {
    const name = vertex.parents ? written : (written.split("/").at(-1) ?? "");
    const selected = { path, as: "", excludes: excluder(vertex.exclude) };
    const own = stat.type === "directory" ? [stat.mode, stat.uid, stat.gid] : [];
    parts.push([stat.type === "directory" && !vertex.parents ? "" : name, own, await opened.tree.hash(selected)]);
  }
  const hash = keyOf({ parts });
  if (source.tree !== undefined) cache.records.noteHash(source.tree, selection, hash);
  return hash;
}
