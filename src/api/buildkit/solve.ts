import type { BuildEvent, BuildRequest, BuildResult } from "../../build/types.ts";
import type { Engine } from "../../engine/types.ts";
import { entitlementOf } from "../requests/build.ts";
import { cacheSources, cacheTargets } from "../requests/build-caches.ts";
import { type Asked, parseAttributes } from "./attributes.ts";
import { borrow } from "./borrowed.ts";
import { ClientStore } from "./client-store.ts";
import { deliver } from "./deliver.ts";
import { type ClientFiles, openFiles } from "./files.ts";
import type { Frontend, Job, Jobs, KeptFrontend } from "./jobs.ts";
import { Lent } from "./lent.ts";
import { parseExporters, type Wanted } from "./outputs.ts";
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

/** Builds what a client has decided to build; the answer is what BuildKit's exporters would tell about it. */
export async function solve(means: Means, { job, kept, signal }: Decided): Promise<ReadonlyMap<string, string>> {
  const { request } = job;
  const legacy = request.exporter === "" ? [] : [{ type: request.exporter, attributes: request.exporterAttributes }];
  const wanted = parseExporters(request.exporters.length > 0 ? request.exporters : legacy);
  const emit = (event: BuildEvent) => job.tell(event);
  const { scratch } = means.builds;
  const task = { job, frontend: kept.frontend, signal };
  try {
    // Other builds begin with it: it becomes an image, whatever else is made of it.
    if (kept.isWanted && wanted.type !== "image") await makeImage(means, task, kept);
    return await carryOut(means, task, {
      wanted,
      emit,
      finish: async (result, client) => {
        if (wanted.type === "image") kept.made(result.id ?? "");
        const told = await deliver(result, { ...client, emit, wanted, images: means.images, scratch });
        return new Map([...told, ...cacheTold(job)]);
      },
    });
  } catch (error) {
    kept.failed(error);
    throw error;
  }
}

/** Makes an image without a name of a build's result, for those that wait for it. */
async function makeImage(means: Means, task: Task, kept: KeptFrontend): Promise<void> {
  const wanted = parseExporters([{ type: "image" }]);
  const emit = (event: BuildEvent) => task.job.tell(event);
  const before = new Set<string>(means.images.list().map(({ id }) => id));
  const finish = async ({ id = "" }: BuildResult) => {
    if (!before.has(id)) task.job.leaves(id);
    kept.made(id);
  };
  await carryOut(means, task, { wanted, emit, finish });
}

/** What the client writes into the index of the directory that has the cache now. */
function cacheTold({ cache }: Job): [string, string][] {
  return cache === undefined ? [] : [["cache.manifest", JSON.stringify(cache)]];
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
  { wanted, emit, finish }: Purpose<Result>,
): Promise<Result> {
  const asked = parseAttributes(new Map([...job.request.attributes, ...frontend.attributes]));
  const session = await means.sessions.get(job.request.session, signal);
  const left = AbortSignal.any([signal, session.client.ended]);
  await using lent = new Lent(session, left);
  const settings = await lent.beforehand();
  const files = await openFiles(asked, { session, signal: left, emit });
  const contexts = { ...asked.contexts, ...(await borrow(asked, { ...means, frontend, session, signal: left, emit })) };
  const result = await means.builds.build({
    ...buildRequest(job, { asked, wanted, session }),
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
  readonly session: Session;
}

function buildRequest(job: Job, { asked, wanted, session }: Wish): Omit<BuildRequest, FromClient> {
  const { buildArgs, labels, target, platforms, noCache, pull, network, limits, cacheImports, call } = asked;
  const { cache, entitlements } = job.request;
  const exports = (cache?.exports ?? []).map(({ type, attributes }) => ({
    Type: type,
    Attrs: Object.fromEntries(attributes ?? []),
  }));
  const lend = (directory: string) => new ClientStore(session, `local:${directory}`);
  return {
    ...{ buildArgs, labels, target, platforms, noCache, pull, network, limits, call },
    tags: wanted.tags,
    cacheFrom: cacheSources(cacheImports, lend),
    cacheTo: cacheTargets(JSON.stringify(exports), wanted.type, { lend, stored: (root) => job.keepCache(root) }),
    allow: new Set(entitlements.map(entitlementOf)),
    output: wanted,
    ready: () => job.ready(),
    planned: () => undefined,
  };
}
