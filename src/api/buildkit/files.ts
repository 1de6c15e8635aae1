import { randomBytes } from "node:crypto";
import { posix } from "node:path";
import { readIgnoreFile } from "../../build/ignore/index.ts";
import { asStep } from "../../build/progress/as-step.ts";
import { type BuildEvent, type BuildRequest, contextsDirectory } from "../../build/types.ts";
import { SampanError } from "../../errors/index.ts";
import type { TarEntry } from "../../storage/tar/entry.ts";
import { readTar } from "../../storage/tar/read.ts";
import { tarEnd, tarHeader, tarPadding } from "../../storage/tar/writer.ts";
import type { Asked } from "./attributes.ts";
import { Bytes } from "./messages/session.ts";
import { receiveFiles, type WantedFiles } from "./receive-files.ts";
import type { Session } from "./sessions.ts";

/** Bytes of the largest Dockerfile, and ignore file, that is taken. */
const textLimit = 16 * 1024 * 1024;

/** How many links lead from one to the next, at the most, as in path_resolution(7). */
const longestChain = 40;

interface Means {
  readonly session: Session;
  readonly signal: AbortSignal;
  emit(event: BuildEvent): void;
}

/** What a build reads of its client. */
export interface ClientFiles {
  readonly request: Pick<BuildRequest, "context" | "remote" | "dockerfile" | "dockerfileName" | "lendFiles">;
  /** The Dockerfile, when it comes by itself. */
  readonly text?: Buffer;
}

/** Asks the client for the Dockerfile, and opens the contexts. */
export async function openFiles(asked: Asked, means: Means): Promise<ClientFiles> {
  const { context, filename, dockerfileDirectory } = asked;
  const remote = context.kind === "remote" ? context.url : undefined;
  if (context.kind === "upload") {
    if (asked.directories.size > 0) {
      const remedy = "unpack it, and build that directory";
      throw new SampanError("unsupported", `Cannot use further local contexts beside an archive: ${remedy}`);
    }
    const request = { context: uploaded(context.id, means), remote, dockerfile: filename, dockerfileName: undefined };
    return { request };
  }
  if (dockerfileDirectory === undefined) {
    const lendFiles = (needed: ReadonlySet<string>) => contexts(asked, needed, [], means);
    return { request: { context: undefined, remote, dockerfile: filename, dockerfileName: undefined, lendFiles } };
  }
  const { text, ignore } = await dockerfileOf(asked, dockerfileDirectory, means);
  // The builder takes patterns from beside the Dockerfile.
  const injected = `.sampan-dockerfile-${randomBytes(8).toString("hex")}`;
  const hidden = `${ignore}\n${injected}*\n`;
  const own = [fileMember(injected, text), fileMember(`${injected}.dockerignore`, Buffer.from(hidden))];
  const lendFiles = (needed: ReadonlySet<string>) => contexts(asked, needed, readIgnoreFile(ignore), means);
  const request = { context: archive(own), remote, dockerfile: injected, dockerfileName: filename, lendFiles };
  return { request, text };
}

interface Dockerfile {
  readonly text: Buffer;
  /** What the ignore file says that counts. */
  readonly ignore: string;
}

async function dockerfileOf({ filename, context }: Asked, directory: string, means: Means): Promise<Dockerfile> {
  const beside = `${filename}.dockerignore`;
  const shown = { id: "dockerfile", name: `[internal] load build definition from ${filename}` };
  const files = await asStep(means.emit, shown, () =>
    textsOf(means, shown.id, "transferring dockerfile", { directory, follow: [filename, beside] }),
  );
  const text = files.get(filename);
  if (text === undefined) {
    throw new SampanError("not-found", `failed to read dockerfile: open ${filename}: no such file or directory`);
  }
  const named = files.get(beside);
  if (named !== undefined || context.kind !== "local") return { text, ignore: named?.toString() ?? "" };
  const loading = { id: "dockerignore", name: "[internal] load .dockerignore" };
  const wanted = { directory: context.name, follow: [".dockerignore"] };
  const usual = await asStep(means.emit, loading, () => textsOf(means, loading.id, "transferring context", wanted));
  return { text, ignore: usual.get(".dockerignore")?.toString() ?? "" };
}

async function* archive(members: readonly Buffer[]): AsyncGenerator<Uint8Array> {
  yield* members;
  yield tarEnd;
}

/** The archive of the contexts that are needed and are the client's. */
async function* contexts(
  { directories, context }: Asked,
  needed: ReadonlySet<string>,
  excludes: readonly string[],
  means: Means,
): AsyncGenerator<Uint8Array> {
  for (const [name, directory] of directories) {
    if (!needed.has(name)) continue;
    const shown = { id: `context ${name}`, name: `[context ${name}] load from client` };
    yield* shownFiles(means, shown, { directory }, `${contextsDirectory}/${name}/`);
  }
  if (context.kind === "local" && needed.has("")) {
    const shown = { id: "context", name: "[internal] load build context" };
    yield* shownFiles(means, shown, { directory: context.name, excludes }, "");
  }
  yield tarEnd;
}

/** Files of the client's, and a step that tells of them. */
async function* shownFiles(
  { session, signal, emit }: Means,
  shown: { readonly id: string; readonly name: string },
  wanted: WantedFiles,
  prefix: string,
): AsyncGenerator<Uint8Array> {
  const started = Date.now();
  const status = { type: "status", step: shown.id, id: "transferring context:", started } as const;
  let received = 0;
  const progress = (bytes: number) => {
    if (bytes - received < 512 * 1024) return;
    received = bytes;
    emit({ ...status, current: bytes });
  };
  const step = { type: "step", ...shown, started } as const;
  emit(step);
  let total = 0;
  const count = (bytes: number) => {
    total = bytes;
    progress(bytes);
  };
  try {
    yield* receiveFiles(session, wanted, { prefix, signal, progress: count });
  } catch (error) {
    emit({ ...step, completed: Date.now(), error: error instanceof Error ? error.message : String(error) });
    throw error;
  }
  const completed = Date.now();
  emit({ ...status, current: total, completed });
  emit({ ...step, completed });
}

async function* uploaded(id: string, { session, signal }: Means): AsyncGenerator<Uint8Array> {
  const types = { request: Bytes, response: Bytes };
  using exchange = session.client.open("/moby.upload.v1.Upload/Pull", types, { urlpath: `/${id}` }, signal);
  for await (const { data } of exchange.messages) yield data;
}

/** Small files of the client's, by the names they were asked for; links are followed within the directory. */
async function textsOf(
  { session, signal, emit }: Means,
  step: string,
  what: string,
  wanted: WantedFiles & { readonly follow: readonly string[] },
): Promise<ReadonlyMap<string, Buffer>> {
  const found = new Map<string, { readonly entry: TarEntry; readonly pieces: Buffer[] }>();
  const started = Date.now();
  let total = 0;
  const members = receiveFiles(session, wanted, { prefix: "", signal, progress: (bytes) => (total = bytes) });
  let last: Buffer[] = [];
  await readTar(ended(members), {
    entry: (entry) => {
      if (entry.size > textLimit) {
        throw new SampanError("invalid", `Cannot read ${entry.name}: it is larger than ${textLimit} bytes`);
      }
      last = [];
      found.set(entry.name.replace(/\/$/, ""), { entry, pieces: last });
    },
    data: (bytes) => void last.push(Buffer.from(bytes)),
    end: () => undefined,
  });
  emit({ type: "status", step, id: `${what}:`, current: total, started, completed: Date.now() });
  return new Map(
    wanted.follow.flatMap((name): [string, Buffer][] => {
      let path = posix.normalize(Buffer.from(name).toString("latin1"));
      for (let hops = 0; hops < longestChain; hops++) {
        const file = found.get(path);
        if (file?.entry.type === "file") return [[name, Buffer.concat(file.pieces)]];
        if (file?.entry.type !== "symlink") return [];
        path = posix.resolve("/", posix.dirname(path), file.entry.linkName).slice(1);
      }
      return [];
    }),
  );
}

async function* ended(members: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* members;
  yield tarEnd;
}

function fileMember(name: string, content: Buffer): Buffer {
  const header = tarHeader({
    ...{ type: "file", name, linkName: "", mode: 0o644, uid: 0, gid: 0, size: content.length },
    ...{ mtime: { seconds: 0, nanoseconds: 0 }, major: 0, minor: 0, xattrs: [], sparse: false },
  });
  return Buffer.concat([header, content, Buffer.alloc(tarPadding(content.length))]);
}
