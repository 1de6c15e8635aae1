import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { SampanError } from "../../errors/index.ts";
import { decompressed } from "../../images/decompress.ts";
import type { Executor } from "../../kernel/executor.ts";
import { scratchName } from "../cache/mounts.ts";
import { ContextTree } from "../files/context-tree.ts";
import { textOf } from "../files/source-tree.ts";
import { PatternMatcher, readIgnoreFile } from "../ignore/index.ts";
import { contextsOf } from "../plan/graph.ts";
import type { Plan } from "../plan/types.ts";
import { type BuildRequest, type BuildSettings, contextsDirectory, settingsFile } from "../types.ts";
import { checkAgents } from "./agents.ts";
import type { NamedTrees } from "./named.ts";
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
  readonly settings: BuildSettings;
}

/**
 * Receives, or fetches, the context of a build and finds the Dockerfile in it. What a client sends beside a remote context is
 * what else belongs to the build: settings, named contexts, a Dockerfile.
 */
export async function obtainContext(request: BuildRequest, scratch: string, executor: Executor): Promise<Obtained> {
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  await using closing = new AsyncDisposableStack();
  const { remote, signal, dockerfile } = request;
  const upload = request.context && decompressed(request.context, "the build context");
  const sent = upload && closing.use(await spoolContext(upload, join(scratch, scratchName()), signal));
  const file = sent?.take(settingsFile);
  const named = sent?.take(contextsDirectory);
  const { settings: given } = request;
  const settings = typeof given === "function" ? given(await settingsText(sent, file)) : given;
  checkAgents(settings.agents);
  const fetched =
    remote === undefined
      ? undefined
      : closing.use(await remoteContext(remote, { request, settings, executor, scratch, limit: textLimit }));
  const context = fetched ?? sent;
  if (context === undefined) {
    throw new SampanError("invalid", `Cannot locate specified Dockerfile: ${dockerfile}: there is no build context`);
  }
  const ignore = await ignoredBy(context, dockerfile);
  const holder = sent !== undefined && fileAt(sent, dockerfile) !== undefined ? sent : context;
  const text = await dockerfileOf(holder, dockerfile);
  const trees = treesOf(context, ignore, sent, named);
  const kept = closing.move();
  return { trees, dockerfile: text, ignore, settings, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** The contexts that a client sends only when they are needed: nothing where there are none such. */
export async function obtainLent(
  { lendFiles, remote, signal }: Pick<BuildRequest, "lendFiles" | "remote" | "signal">,
  plan: Pick<Plan, "vertices">,
  { scratch, ignore }: { readonly scratch: string; readonly ignore: PatternMatcher },
): Promise<NamedTrees> {
  const needed = contextsOf(plan);
  if (lendFiles === undefined || needed.size === 0) return { trees: new Map(), [Symbol.asyncDispose]: async () => {} };
  const sent = await spoolContext(lendFiles(needed), join(scratch, scratchName()), signal);
  const trees = treesOf(sent, ignore, sent, sent.take(contextsDirectory));
  if (remote !== undefined) trees.delete("");
  return { trees, [Symbol.asyncDispose]: () => sent[Symbol.asyncDispose]() };
}

function fileAt({ root }: SpooledContext, path: string): ContextNode | undefined {
  const name = path.replace(/^(\.?\/)+/, "");
  const node = nodeAt(root, Buffer.from(name).toString("latin1"));
  return node?.stat.type === "file" ? node : undefined;
}

async function dockerfileOf(context: SpooledContext, path: string): Promise<string> {
  const node = fileAt(context, path);
  if (node === undefined) throw new SampanError("invalid", `Cannot locate specified Dockerfile: ${path}`);
  const text = await context.text(node, textLimit, path);
  if (text.trim() === "") throw new SampanError("invalid", `the Dockerfile (${path}) cannot be empty`);
  return text;
}

/** `<Dockerfile>.dockerignore` beside the Dockerfile, else `.dockerignore` of the context. */
async function ignoredBy(context: SpooledContext, dockerfile: string): Promise<PatternMatcher> {
  for (const name of [`${dockerfile}.dockerignore`, ".dockerignore"]) {
    const node = fileAt(context, name);
    if (node === undefined) continue;
    return new PatternMatcher(readIgnoreFile(await context.text(node, textLimit, name)));
  }
  return new PatternMatcher([]);
}

function treesOf(
  context: SpooledContext,
  matcher: PatternMatcher,
  sent: SpooledContext | undefined,
  named: ContextNode | undefined,
): Map<string, ContextTree> {
  const ignored = matcher.isEmpty ? () => false : (path: string) => matcher.matches(textOf(path));
  const trees = new Map([["", new ContextTree(context, ignored)]]);
  for (const [name, root] of named?.children ?? []) {
    if (sent !== undefined) trees.set(textOf(name), new ContextTree(sent.at(root), () => false));
  }
  return trees;
}

async function settingsText(context: SpooledContext | undefined, file: ContextNode | undefined): Promise<string> {
  if (context === undefined || file === undefined)
    throw new SampanError("invalid", `Cannot read ${settingsFile}: it is not in the build context`);
  return await context.text(file, textLimit, settingsFile);
}
