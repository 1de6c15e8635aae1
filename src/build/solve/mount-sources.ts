import { posix } from "node:path";
import { SampanError } from "../../errors/index.ts";
import { openDirectoryTree } from "../../storage/pack/open.ts";
import type { FileStat } from "../context/tree.ts";
import { Destination } from "../files/destination.ts";
import { bytesOf, resolve, type SourceTree } from "../files/source-tree.ts";
import type { VertexId } from "../plan/types.ts";
import type { StepInputs } from "./copy.ts";
import type { Job } from "./job.ts";
import { keyOf } from "./key.ts";
import { identityOf } from "./stack.ts";
import { timeOf } from "./time.ts";
import { stackTree } from "./trees.ts";

/** A directory or file of another vertex. */
export interface Part {
  readonly from: VertexId;
  readonly source: string;
}

/** A part of a tree, found; no link is on the way to it. */
export interface FoundPart {
  readonly path: string;
  readonly stat: FileStat;
}

/** Relative to the root; "" is all of it. Characters of patterns mean themselves here. */
export function cleanSource(source: string): string {
  return posix.normalize(`/${source}`).slice(1).replace(/\/$/, "");
}

async function find(tree: SourceTree, source: string): Promise<FoundPart | undefined> {
  const path = await resolve(tree, bytesOf(cleanSource(source)));
  const stat = path === undefined ? undefined : await tree.stat(path);
  return path === undefined || stat === undefined ? undefined : { path, stat };
}

/** Kind "not-found" when it is not there. */
export async function mustFind(tree: SourceTree, source: string): Promise<FoundPart> {
  const found = await find(tree, source);
  if (found !== undefined) return found;
  throw new SampanError("not-found", `Cannot mount ${source}: there is no such file`);
}

/** The tree of a build context; undefined for a vertex that is none. */
export function contextOf(job: Job, id: VertexId): SourceTree | undefined {
  const vertex = job.plan.vertices[id];
  if (vertex?.kind !== "context") return undefined;
  const tree = job.contexts.get(vertex.name);
  if (tree === undefined) throw new SampanError("invalid", "Cannot mount a build context: there is none");
  return tree;
}

/** What a part contains, for keys; "" when it is not there. */
export async function contentKey(job: Job, { from, source }: Part, inputs: StepInputs): Promise<string> {
  const context = contextOf(job, from);
  if (context !== undefined) return await hashOf(context, source);
  const stack = await inputs.stackOfVertex(from);
  const [tree, path] = [identityOf(stack), cleanSource(source)];
  if (path === "") return tree;
  const selection = JSON.stringify(["mount", path]);
  const known = job.cache.records.hash(tree, selection);
  if (known !== undefined) return known;
  await using opened = await stackTree(job, stack);
  const hash = await hashOf(opened.tree, source);
  job.cache.records.noteHash(tree, selection, hash);
  return hash;
}

async function hashOf(tree: SourceTree, source: string): Promise<string> {
  const found = await find(tree, source);
  if (found === undefined) return "";
  const { type, mode, uid, gid } = found.stat;
  return keyOf({
    own: [type, mode, uid, gid],
    hash: await tree.hash({ path: found.path, as: "", excludes: () => false }),
  });
}

/** Copies what is in a part, or the file that it is, into an empty directory. */
export async function copyPart(job: Job, { from, source }: Part, inputs: StepInputs, directory: string): Promise<void> {
  const context = contextOf(job, from);
  if (context !== undefined) {
    await copyFound(job, context, await mustFind(context, source), directory);
    return;
  }
  await using opened = await stackTree(job, await inputs.stackOfVertex(from));
  await copyFound(job, opened.tree, await mustFind(opened.tree, source), directory);
}

/** Copies into an empty directory, and answers the name that it has there; "" for what is in a directory. */
export async function copyFound(
  job: Job,
  tree: SourceTree,
  { path, stat }: FoundPart,
  directory: string,
): Promise<string> {
  const purpose = "copy what is mounted";
  const session = await openDirectoryTree(job.parts.executor, purpose, directory);
  try {
    const to = new Destination(session, purpose, { owner: undefined, mode: (mode) => mode }, timeOf(job));
    const as = stat.type === "directory" ? "" : "file";
    await to.write("/", (sink) => tree.copy({ path, as, excludes: () => false }, sink));
    return as;
  } finally {
    session.close();
  }
}
