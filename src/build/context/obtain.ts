import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { SampanError } from "../../errors/index.ts";
import { decompressed } from "../../images/decompress.ts";
import { scratchName } from "../cache/mounts.ts";
import { ContextTree } from "../files/context-tree.ts";
import { textOf } from "../files/source-tree.ts";
import { PatternMatcher, readIgnoreFile } from "../ignore/index.ts";
import { type BuildRequest, type BuildSettings, contextsDirectory, settingsFile } from "../types.ts";
import { remoteContext } from "./remote.ts";
import { type SpooledContext, spoolContext } from "./spool.ts";
import { type ContextNode, nodeAt } from "./tree.ts";

/** The largest Dockerfile, and ignore file, that is read. */
const textLimit = 16 * 1024 * 1024;

/** The context of a build, and its Dockerfile's text. */
export interface Obtained extends AsyncDisposable {
  /** By name; the build context's is "". */
  readonly trees: ReadonlyMap<string, ContextTree>;
  readonly dockerfile: string;
  readonly ignore: PatternMatcher;
  /** The settings, where the context brings them. */
  settings(given: BuildRequest["settings"]): Promise<BuildSettings>;
}

/** Receives, or downloads, the context of a build and finds the Dockerfile in it. */
export async function obtainContext(request: BuildRequest, scratch: string): Promise<Obtained> {
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  const path = join(scratch, scratchName());
  const { remote, signal, dockerfile } = request;
  const source =
    remote === undefined
      ? request.context && decompressed(request.context, "the build context")
      : await remoteContext(remote, { dockerfile, limit: textLimit, signal });
  if (source === undefined) {
    throw new SampanError("invalid", `Cannot locate specified Dockerfile: ${dockerfile}: there is no build context`);
  }
  const context = await spoolContext(source, path, signal);
  try {
    const file = context.take(settingsFile);
    const named = context.take(contextsDirectory);
    const ignore = await ignoredBy(context, dockerfile);
    return {
      trees: treesOf(context, ignore, named),
      dockerfile: await dockerfileOf(context, dockerfile),
      ignore,
      settings: async (given) => (typeof given === "function" ? given(await settingsText(context, file)) : given),
      [Symbol.asyncDispose]: () => context[Symbol.asyncDispose](),
    };
  } catch (error) {
    await context[Symbol.asyncDispose]();
    throw error;
  }
}

async function dockerfileOf(context: SpooledContext, path: string): Promise<string> {
  const name = path.replace(/^(\.?\/)+/, "");
  const node = nodeAt(context.root, Buffer.from(name).toString("latin1"));
  if (node?.stat.type !== "file") {
    throw new SampanError("invalid", `Cannot locate specified Dockerfile: ${path}`);
  }
  const text = await context.text(node, textLimit, path);
  if (text.trim() === "") throw new SampanError("invalid", `the Dockerfile (${path}) cannot be empty`);
  return text;
}

/** `<Dockerfile>.dockerignore` beside the Dockerfile, else `.dockerignore` of the context. */
async function ignoredBy(context: SpooledContext, dockerfile: string): Promise<PatternMatcher> {
  for (const name of [`${dockerfile.replace(/^(\.?\/)+/, "")}.dockerignore`, ".dockerignore"]) {
    const node = nodeAt(context.root, Buffer.from(name).toString("latin1"));
    if (node?.stat.type !== "file") continue;
    return new PatternMatcher(readIgnoreFile(await context.text(node, textLimit, name)));
  }
  return new PatternMatcher([]);
}

function treesOf(
  context: SpooledContext,
  matcher: PatternMatcher,
  named: ContextNode | undefined,
): ReadonlyMap<string, ContextTree> {
  const ignored = matcher.isEmpty ? () => false : (path: string) => matcher.matches(textOf(path));
  const trees = new Map([["", new ContextTree(context, ignored)]]);
  for (const [name, root] of named?.children ?? [])
    trees.set(textOf(name), new ContextTree(context.at(root), () => false));
  return trees;
}

async function settingsText(context: SpooledContext, file: ContextNode | undefined): Promise<string> {
  if (file === undefined)
    throw new SampanError("invalid", `Cannot read ${settingsFile}: it is not in the build context`);
  return await context.text(file, textLimit, settingsFile);
}
