import { asStep } from "../../build/progress/as-step.ts";
import type { BuildEvent, BuildRequest, BuildResult } from "../../build/types.ts";
import type { Engine } from "../../engine/types.ts";
import { parseReference } from "../../registry/reference.ts";
import { entitlementOf } from "../requests/build.ts";
import { cacheTargets } from "../requests/build-caches.ts";
import { type Asked, parseAttributes } from "./attributes.ts";
import { type ClientFiles, openFiles } from "./files.ts";
import type { Job } from "./jobs.ts";
import { Lent } from "./lent.ts";
import { parseExporters, type Wanted } from "./outputs.ts";
import { sendArchive, sendFiles } from "./send-files.ts";
import type { Session, Sessions } from "./sessions.ts";

/** What a build is carried out with. */
export interface Means {
  readonly builds: Engine["builds"];
  readonly sessions: Sessions;
}

/** What is to be done with the result of a build, and how it is told of. */
export interface Purpose<Result> {
  readonly wanted: Wanted;
  emit(event: BuildEvent): void;
  finish(result: BuildResult, client: Client): Promise<Result>;
}

/** Who the build is for. */
interface Client {
  readonly session: Session;
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
      finish: (result, { session, signal }) => deliver(result, { emit, wanted, session, signal, scratch }),
    },
  );
}

interface Task {
  readonly job: Job;
  /** Of the request to the frontend. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly signal: AbortSignal;
}

/** Has the builder do what a client asks of the Dockerfile's frontend. */
export async function carryOut<Result>(
  { builds, sessions }: Means,
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
    ...buildRequest(job, asked, wanted),
    ...files.request,
    emit,
    settings: { ...settings, contexts: asked.contexts },
    auth: lent.auth,
    lend: (needed) => lent.lend(needed),
    signal: left,
  });
  return await finish(result, { session, asked, files, signal: left });
}

type FromClient = keyof ClientFiles["request"] | "settings" | "auth" | "lend" | "signal" | "emit";

function buildRequest(job: Job, asked: Asked, wanted: Wanted): Omit<BuildRequest, FromClient> {
  const { buildArgs, labels, target, platforms, noCache, pull, network, limits, cacheFrom, call } = asked;
  const { cache, entitlements } = job.request;
  const exports = (cache?.exports ?? []).map(({ type, attributes }) => ({
    Type: type,
    Attrs: Object.fromEntries(attributes ?? []),
  }));
  return {
    ...{ buildArgs, labels, target, platforms, noCache, pull, network, limits, cacheFrom, call },
    tags: wanted.tags,
    cacheTo: cacheTargets(JSON.stringify(exports), wanted.type),
    allow: new Set(entitlements.map(entitlementOf)),
    output: wanted,
    ready: () => job.ready(),
    planned: () => undefined,
  };
}

interface Delivery extends Pick<Client, "session" | "signal">, Pick<Purpose<unknown>, "wanted" | "emit"> {
  readonly scratch: string;
}

async function deliver(
  { id, tags, stream }: BuildResult,
  { wanted, emit, session, signal, scratch }: Delivery,
): Promise<ReadonlyMap<string, string>> {
  await using files = stream;
  if (wanted.to === "none") return new Map();
  if (files !== undefined) {
    const directory = wanted.to === "directory";
    const name = directory ? "exporting to client directory" : "exporting to client tarball";
    await asStep(emit, { id: "export", name }, () =>
      directory ? sendFiles(session, files, { scratch, signal }) : sendArchive(session, files, signal),
    );
    return new Map();
  }
  const names = tags.map((tag) => parseReference(tag).canonical);
  await asStep(emit, { id: "export", name: "exporting to image" }, async () => {
    const now = Date.now();
    for (const done of [`writing image ${id}`, ...names.map((name) => `naming to ${name}`)]) {
      emit({ type: "status", step: "export", id: done, started: now, completed: now });
    }
  });
  return new Map([
    ["containerimage.digest", id ?? ""],
    ["containerimage.config.digest", id ?? ""],
    ...(names.length === 0 ? [] : [["image.name", names.join(",")] as const]),
  ]);
}
