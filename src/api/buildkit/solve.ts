import type { BuildEvent, BuildRequest, BuildResult } from "../../build/types.ts";
import type { Engine } from "../../engine/types.ts";
import { entitlementOf } from "../requests/build.ts";
import { cacheSources, cacheTargets } from "../requests/build-caches.ts";
import { type Asked, parseAttributes } from "./attributes.ts";
import { ClientStore } from "./client-store.ts";
import { deliver } from "./deliver.ts";
import { type ClientFiles, openFiles } from "./files.ts";
import type { Job } from "./jobs.ts";
import { Lent } from "./lent.ts";
import { parseExporters, type Wanted } from "./outputs.ts";
import type { Session, Sessions } from "./sessions.ts";

/** What a build is carried out with. */
export interface Means {
  readonly builds: Engine["builds"];
  readonly images: Pick<Engine["images"], "push">;
  readonly sessions: Sessions;
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

/** Builds what a client has decided to build; the answer is what BuildKit's exporters would tell about it. */
export async function solve(
  means: Means,
  job: Job,
  attributes: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const { request } = job;
  const legacy = request.exporter === "" ? [] : [{ type: request.exporter, attributes: request.exporterAttributes }];
  const wanted = parseExporters(request.exporters.length > 0 ? request.exporters : legacy);
  const emit = (event: BuildEvent) => job.tell(event);
  const { scratch } = means.builds;
  return await carryOut(
    means,
    { job, attributes, signal },
    {
      wanted,
      emit,
      finish: async (result, client) => {
        const told = await deliver(result, { ...client, emit, wanted, images: means.images, scratch });
        return new Map([...told, ...cacheTold(job)]);
      },
    },
  );
}

/** What the client writes into the index of the directory that has the cache now. */
function cacheTold({ cache }: Job): [string, string][] {
  return cache === undefined ? [] : [["cache.manifest", JSON.stringify(cache)]];
}

interface Task {
  readonly job: Job;
  /** Of the request to the frontend. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly signal: AbortSignal;
}

/** Has the builder do what a client asks of the Dockerfile's frontend. */
export async function carryOut<Result>(
  { builds, sessions }: Pick<Means, "builds" | "sessions">,
  { job, attributes, signal }: Task,
  { wanted, emit, finish }: Purpose<Result>,
): Promise<Result> {
  const asked = parseAttributes(new Map([...job.request.attributes, ...attributes]));
  const session = await sessions.get(job.request.session, signal);
  const left = AbortSignal.any([signal, session.client.ended]);
  await using lent = new Lent(session, left);
  const settings = await lent.beforehand();
  const files = await openFiles(asked, { session, signal: left, emit });
  const result = await builds.build({
    ...buildRequest(job, { asked, wanted, session }),
    ...files.request,
    emit,
    settings: { ...settings, contexts: asked.contexts },
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
