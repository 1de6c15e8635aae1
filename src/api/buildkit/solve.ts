import type { BuildEvent, BuildRequest, BuildResult } from "../../build/types.ts";
import type { Engine } from "../../engine/types.ts";
import type { Descriptor } from "../../images/shapes.ts";
import { entitlementOf } from "../requests/build.ts";
import { cacheSources, cacheTargets } from "../requests/build-caches.ts";
import { type Asked, parseAttributes } from "./attributes.ts";
import { borrow } from "./borrowed.ts";
import { ClientStore } from "./client-store.ts";
import { deliver } from "./deliver.ts";
import { type ClientFiles, openFiles } from "./files.ts";
import type { Frontend, Job, Jobs, KeptFrontend } from "./jobs.ts";
import { Lent } from "./lent.ts";
import { parseExporter, parseExporters, type Wanted } from "./outputs.ts";
import type { Session, Sessions } from "./sessions.ts";

/** What a build is carried out with. */
export interface Means {
  readonly builds: Engine["builds"];
  readonly images: Pick<Engine["images"], "push" | "load" | "list">;
  readonly jobs: Jobs;
  readonly sessions: Sessions;
  /** What `host-gateway` stands for. */
  hostGateway(): readonly string[];
}

/** What is to be done with the result of a build, and how it is told of. */
export interface Purpose<Result> {
  readonly wanted: Wanted;
  /** The same was just built for something else: nothing of it is told, and its steps are in the cache. */
  readonly again: boolean;
  emit(event: BuildEvent): void;
  finish(result: BuildResult, client: Client): Promise<Result>;
}

/** Who the build is for. */
export interface Client {
  readonly session: Session;
  readonly lent: Pick<Lent, "auth">;
  readonly asked: Asked;
  readonly files: ClientFiles;
  readonly signal: AbortSignal;
}

interface Decided {
  readonly job: Job;
  readonly kept: KeptFrontend;
  readonly signal: AbortSignal;
}

/**
 * Builds what a client has decided to build; the answer is what BuildKit's exporters would tell about it. For each of several outputs
 * the build is carried out: all but the first find its steps in the cache.
 */
export async function solve(means: Means, { job, kept, signal }: Decided): Promise<ReadonlyMap<string, string>> {
  const { request } = job;
  const legacy = request.exporter === "" ? [] : [{ type: request.exporter, attributes: request.exporterAttributes }];
  const outputs = parseExporters(request.exporters.length > 0 ? request.exporters : legacy);
  const task = { job, frontend: kept.frontend, signal };
  const told = new Map<string, string>();
  try {
    // Other builds begin with it: it becomes an image, whatever else is made of it.
    let again = kept.isWanted && outputs.every(({ type }) => type !== "image");
    if (again) await makeImage(means, task, kept);
    for (const wanted of outputs) {
      const more = await makeOutput(means, task, { kept, wanted, again });
      for (const [key, value] of more) told.set(key, value);
      again = true;
    }
    if (job.cache !== undefined) told.set("cache.manifest", JSON.stringify(job.cache));
    return told;
  } catch (error) {
    kept.failed(error);
    throw error;
  }
}

interface Making extends Pick<Purpose<unknown>, "wanted" | "again"> {
  readonly kept: KeptFrontend;
}

async function makeOutput(
  means: Means,
  task: Task,
  { kept, wanted, again }: Making,
): Promise<ReadonlyMap<string, string>> {
  const emit = (event: BuildEvent) => task.job.tell(event);
  const { images, builds } = means;
  return await carryOut(means, task, {
    ...{ wanted, again, emit },
    finish: async (result, client) => {
      if (wanted.type === "image") kept.made(result.id ?? "");
      return await deliver(result, { ...client, emit, wanted, images, scratch: builds.scratch });
    },
  });
}

/** Makes an image without a name of a build's result, for those that wait for it. */
async function makeImage(means: Means, task: Task, kept: KeptFrontend): Promise<void> {
  const wanted = parseExporter({ type: "image" }, 0);
  const emit = (event: BuildEvent) => task.job.tell(event);
  const before = new Set<string>(means.images.list().map(({ id }) => id));
  const finish = async ({ id = "" }: BuildResult) => {
    if (!before.has(id)) task.job.leaves(id);
    kept.made(id);
  };
  await carryOut(means, task, { wanted, again: false, emit, finish });
}

export interface Task {
  readonly job: Job;
  readonly frontend: Frontend;
  readonly signal: AbortSignal;
}

/** Has the builder do what a client asks of the Dockerfile's frontend. */
export async function carryOut<Result>(
  means: Means,
  { job, frontend, signal }: Task,
  { wanted, again, emit: tell, finish }: Purpose<Result>,
): Promise<Result> {
  const emit = again ? () => undefined : tell;
  const asked = parseAttributes(new Map([...job.request.attributes, ...frontend.attributes]));
  const session = await means.sessions.get(job.request.session, signal);
  const left = AbortSignal.any([signal, session.client.ended]);
  await using lent = new Lent(session, left);
  const settings = await lent.beforehand();
  const files = await openFiles(asked, { session, signal: left, emit });
  const contexts = { ...asked.contexts, ...(await borrow(asked, { ...means, frontend, session, signal: left, emit })) };
  const result = await means.builds.build({
    ...buildRequest(job, { asked, wanted, again, session }),
    ...files.request,
    emit,
    settings: { ...settings, contexts },
    auth: lent.auth,
    lend: (needed) => lent.lend(needed),
    signal: left,
  });
  return await finish(result, { session, asked, files, lent, signal: left });
}

type FromClient = keyof ClientFiles["request"] | "settings" | "auth" | "lend" | "signal" | "emit";

interface Wish {
  readonly asked: Asked;
  readonly wanted: Wanted;
  readonly again: boolean;
  readonly session: Session;
}

function buildRequest(job: Job, { asked, wanted, again, session }: Wish): Omit<BuildRequest, FromClient> {
  const { buildArgs, labels, target, platforms, network, limits, cacheImports, call } = asked;
  const { cache, entitlements } = job.request;
  const exports = (cache?.exports ?? []).map(({ type, attributes }) => ({
    Type: type,
    Attrs: Object.fromEntries(attributes ?? []),
  }));
  const lend = (directory: string) => new ClientStore(session, `local:${directory}`);
  const lent = { lend, stored: (root: Descriptor) => job.keepCache(root) };
  const targets = cacheTargets(JSON.stringify(exports), again ? "image" : wanted.type, lent);
  return {
    ...{ buildArgs, labels, target, platforms, network, limits, call },
    noCache: again ? false : asked.noCache,
    pull: again ? false : asked.pull,
    tags: wanted.tags,
    cacheFrom: cacheSources(cacheImports, lend),
    cacheTo: again ? targets.filter(({ type }) => type === "inline" && wanted.type !== "tar") : targets,
    allow: new Set(entitlements.map(entitlementOf)),
    output: wanted,
    ready: () => job.ready(),
    planned: () => undefined,
  };
}
