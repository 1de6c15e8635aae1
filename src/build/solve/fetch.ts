import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { SampanError } from "../../errors/index.ts";
import { fetchUrl } from "../../images/fetch-url.ts";
import { tenTimesASecond } from "../../images/progress.ts";
import { percentDecoded, redacted } from "../../images/urls.ts";
import { storageError } from "../../storage/content/errors.ts";
import { writeAll } from "../../storage/content/ingest.ts";
import { scratchName } from "../cache/mounts.ts";
import { ContextTree } from "../files/context-tree.ts";
import { bytesOf } from "../files/source-tree.ts";
import { GitSource } from "../git/fetch.ts";
import type { GitReference } from "../git/reference.ts";
import type { CopyVertex } from "../plan/types.ts";
import type { Job } from "./job.ts";
import { keyOf } from "./key.ts";
import { fileTree, type OpenTree } from "./trees.ts";

/** ADD of a URL: it is downloaded now, for its content is part of the key. */
export async function fetchFile(job: Job, { checksum, unpack }: CopyVertex, url: string, step: string) {
  const file = await download(job, url, step);
  const found = `sha256:${file.digest}`;
  if (checksum !== undefined && checksum !== found) {
    throw new SampanError("invalid", `digest mismatch sha256:${file.digest}: ${checksum}`);
  }
  return { path: file.name, unpack: unpack === true, open: file.open };
}

/** ADD of a repository: only the commit is found out now, which is the key; its files are fetched when they are needed. */
export async function fetchRepository(job: Job, vertex: CopyVertex, reference: GitReference, step: string) {
  const { parts, secrets, agents, scratch, signal, emit } = job;
  const teller = (to: Job["emit"]) => (line: string) => to({ type: "log", step, stream: "stderr", data: `${line}\n` });
  const tell = teller(emit);
  const means = { executor: parts.executor, secrets, agents, scratch, signal, tell };
  const keepGitDir = vertex.keepGitDir || undefined;
  const source = await GitSource.resolve(reference, means, { keepGitDir, checksum: vertex.checksum });
  const open = async (during: Job): Promise<OpenTree> => {
    const files = await source.open({ signal: during.signal, tell: teller(during.emit) });
    return { tree: new ContextTree(files, () => false), [Symbol.asyncDispose]: () => files[Symbol.asyncDispose]() };
  };
  return { hash: keyOf({ repository: source.identity }), path: "/", unpack: false, open };
}

interface Downloaded {
  readonly name: string;
  readonly digest: string;
  open(): Promise<OpenTree>;
}

async function download({ scratch, signal, emit }: Job, url: string, step: string): Promise<Downloaded> {
  await using fetched = await fetchUrl(url, signal);
  const { headers, body } = fetched;
  const name = nameOf(url, headers.get("content-disposition"));
  const path = join(scratch, scratchName());
  const file = await open(path, "wx", 0o600);
  const hash = createHash("sha256");
  const total = Number(headers.get("content-length") ?? 0);
  const started = Date.now();
  let size = 0;
  const tell = tenTimesASecond(() => {
    emit({ type: "status", step, id: `downloading ${name}`, current: size, ...(total > 0 && { total }), started });
  });
  try {
    for await (const piece of body) {
      hash.update(piece);
      await writeAll(file, piece, size).catch((cause) => {
        throw storageError(`keep what was downloaded from ${redacted(url)}`, cause);
      });
      size += piece.length;
      tell();
    }
  } finally {
    await file.close();
  }
  emit({ type: "status", step, id: `downloading ${name}`, current: size, started, completed: Date.now() });
  const modified = Date.parse(headers.get("last-modified") ?? "");
  const mtime = { seconds: Number.isNaN(modified) ? 0 : Math.floor(modified / 1000), nanoseconds: 0 };
  const digest = hash.digest("hex");
  const described = { digest, mode: 0o600, mtime, size };
  // It lies among the build's own things, and goes with them.
  const openFile = async () => fileTree(bytesOf(name), { content: await open(path, "r"), ...described });
  return { name, digest, open: openFile };
}

/** The file's name as the server says it, or as the URL ends. */
function nameOf(url: string, disposition: string | null): string {
  const [, given = ""] = /filename="?([^";]+)"?/i.exec(disposition ?? "") ?? [];
  const name = (given || percentDecoded(new URL(url).pathname)).split("/").filter(Boolean).at(-1) ?? "";
  return name === "" || name === ".." || name === "." ? "download" : name;
}
