import { createReadStream } from "node:fs";
import { cancelled } from "../../errors/cancel.ts";
import { SampanError } from "../../errors/index.ts";
import { AppendRefused, type PushRepository, type UploadSession } from "../../registry/push-repository.ts";
import { backOff, pause } from "../../registry/retry.ts";
import { storageError } from "../../storage/content/errors.ts";
import type { Blob } from "../download.ts";
import { type Feed, tenTimesASecond } from "../progress.ts";
import type { ImageTools } from "../tools.ts";

export interface UploadOptions {
  /** A repository of the same registry that has the blob. */
  readonly from: string | undefined;
  readonly feed: Feed;
  readonly signal: AbortSignal;
}

/** Pieces of this size are read ahead of the connection. */
const readSize = 512 * 1024;

/**
 * Brings a blob into a repository, unless it is there: taken from a neighbour, or sent. What breaks is tried again, from
 * where the registry says it ended if it can say so, else from the start.
 */
export async function uploadBlob(
  tools: Pick<ImageTools, "content" | "patience">,
  repository: PushRepository,
  blob: Blob,
  options: UploadOptions,
): Promise<void> {
  const { feed, from, signal } = options;
  if (await repository.hasBlob(blob.digest, signal)) return feed.tell("Layer already exists");
  const begun = await repository.begin(blob.digest, from, signal);
  if (begun === "mounted") return feed.tell(`Mounted from ${from}`);
  await sendBlob(tools, repository, blob, begun, options);
  feed.tell("Pushed");
}

async function sendBlob(
  tools: Pick<ImageTools, "content" | "patience">,
  repository: PushRepository,
  blob: Blob,
  begun: UploadSession,
  { feed, signal }: UploadOptions,
): Promise<void> {
  const { patience } = tools;
  let session: UploadSession | undefined = begun;
  for (let failures = 0; ; ) {
    const before: number = session?.offset ?? 0;
    try {
      session ??= await beginAgain(repository, blob, signal);
      if (session === undefined) return;
      if (session.offset < blob.size) {
        session = await repository.append(session, bodyOf(tools, blob, session.offset, feed), signal);
      }
      if (session.offset === blob.size) return await repository.finish(session, blob.digest, signal);
      // It took a part only.
      if (session.offset > before) continue;
      throw new SampanError("unavailable", `Cannot push blob ${blob.digest}: the registry takes no more bytes of it`);
    } catch (error) {
      if (signal.aborted) throw cancelled(signal);
      if (!(error instanceof SampanError && error.kind === "unavailable")) throw await explained(tools, blob, error);
      if (++failures >= patience.attempts) return await giveUp(repository, blob, error, signal);
      await wait(error, failures, tools, feed, signal);
      session = session && (await statusOf(repository, session, signal));
      if (session !== undefined && session.offset > before) failures = 0;
    }
  }
}

/** An answer that was lost may have been a good one. */
async function giveUp(repository: PushRepository, { digest }: Blob, error: SampanError, signal: AbortSignal) {
  if (!(await repository.hasBlob(digest, signal).catch(() => false))) throw error;
}

/** How far the upload came; undefined, to begin anew, also when the registry cannot be asked. */
async function statusOf(repository: PushRepository, session: UploadSession, signal: AbortSignal) {
  return await repository.status(session, signal).catch((error) => {
    if (signal.aborted) throw cancelled(signal);
    if (error instanceof SampanError && error.kind === "unavailable") return undefined;
    throw error;
  });
}

/** A new upload; undefined when it turns out that the last one went through after all. */
async function beginAgain(
  repository: PushRepository,
  { digest }: Blob,
  signal: AbortSignal,
): Promise<UploadSession | undefined> {
  if (await repository.hasBlob(digest, signal)) return undefined;
  const begun = await repository.begin(digest, undefined, signal);
  return begun === "mounted" ? undefined : begun;
}

async function wait(
  error: SampanError,
  failures: number,
  { patience }: Pick<ImageTools, "patience">,
  feed: Feed,
  signal: AbortSignal,
): Promise<void> {
  const asked = error instanceof AppendRefused ? error.delay : undefined;
  if (asked !== undefined && asked > patience.max) throw error;
  const delay = asked ?? backOff(failures, patience);
  const seconds = Math.ceil(delay / 1000);
  feed.tell(`Retrying in ${seconds} second${seconds === 1 ? "" : "s"}`);
  await pause(delay, signal);
}

function bodyOf({ content }: Pick<ImageTools, "content">, { digest, size }: Blob, offset: number, feed: Feed) {
  async function* open(): AsyncIterable<Uint8Array> {
    let sent = offset;
    const tell = tenTimesASecond(() => feed.tell("Pushing", { current: sent, total: size }));
    try {
      for await (const piece of createReadStream(content.pathOf(digest), {
        ...{ start: offset, end: size - 1, highWaterMark: readSize },
      })) {
        yield piece as Uint8Array;
        sent += piece.length;
        tell();
      }
    } catch (cause) {
      throw storageError(`read blob ${digest}`, cause);
    }
    if (sent !== size) throw damaged(digest, `its file has ${sent} bytes instead of ${size}`);
  }
  return { size: size - offset, open };
}

/** A registry that does not take a blob may be right: what was stored here may have been changed since. */
async function explained({ content }: Pick<ImageTools, "content">, { digest }: Blob, error: unknown): Promise<unknown> {
  if (!(error instanceof SampanError && error.kind === "invalid")) return error;
  return (await content.isIntact(digest)) ? error : damaged(digest, "its file has been changed");
}

function damaged(digest: string, how: string): SampanError {
  return new SampanError("internal", `Cannot push blob ${digest}: ${how}; remove the image and pull or load it again`);
}
