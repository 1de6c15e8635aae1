import { join } from "node:path";
import { SampanError } from "../../errors/index.ts";
import { decompressed } from "../../images/decompress.ts";
import { fetchUrl } from "../../images/fetch-url.ts";
import { redacted } from "../../images/urls.ts";
import type { Executor } from "../../kernel/executor.ts";
import { BLOCK, checksumMatches, isZeroBlock } from "../../storage/tar/header.ts";
import { tarEnd, tarHeader, tarPadding } from "../../storage/tar/writer.ts";
import { scratchName } from "../cache/mounts.ts";
import { bytesOf } from "../files/source-tree.ts";
import { GitSource } from "../git/fetch.ts";
import { type GitReference, parseGitContext, shownReference } from "../git/reference.ts";
import { asStep } from "../progress/as-step.ts";
import type { BuildRequest, BuildSettings } from "../types.ts";
import { type SpooledContext, spoolContext } from "./spool.ts";
import { impliedDirectory, now } from "./tree.ts";

/** What a context that is elsewhere is fetched with. */
export interface RemoteMeans {
  readonly request: Pick<BuildRequest, "dockerfile" | "buildArgs" | "emit" | "signal">;
  readonly settings: BuildSettings;
  readonly executor: Executor;
  /** Where things of the build lie while it runs. */
  readonly scratch: string;
  /** Bytes of the largest Dockerfile. */
  readonly limit: number;
}

/**
 * Fetches the context at a URL: a repository; a tar archive, plain or compressed; or a text, which is a Dockerfile without any
 * files.
 */
export async function remoteContext(url: string, means: RemoteMeans): Promise<SpooledContext> {
  const repository = parseGitContext(url);
  if (repository !== undefined) return await fromRepository(repository, means);
  if (!/^https?:\/\//.test(url)) {
    throw new SampanError("invalid", `remoteURL (${redacted(url)}) could not be recognized as URL`);
  }
  const { request, scratch, limit } = means;
  const { dockerfile, signal } = request;
  await using fetched = await fetchUrl(url, signal);
  const archive = archiveOf(decompressed(fetched.body, "the build context"), { url, dockerfile, limit });
  return await spoolContext(archive, join(scratch, scratchName()), signal);
}

async function fromRepository(
  reference: GitReference,
  { request, settings, executor, scratch }: RemoteMeans,
): Promise<SpooledContext> {
  const { emit, signal, buildArgs } = request;
  const asked = buildArgs.get("BUILDKIT_CONTEXT_KEEP_GIT_DIR");
  const keepGitDir = asked === undefined ? undefined : ["1", "true"].includes(asked.toLowerCase());
  const shown = { id: "context", name: `[internal] load git source ${shownReference(reference)}` };
  return await asStep(emit, shown, async (tell) => {
    const means = { ...settings, executor, scratch, signal, tell };
    const source = await GitSource.resolve(reference, means, { keepGitDir });
    return await source.open();
  });
}

async function* archiveOf(
  source: AsyncIterable<Uint8Array>,
  { url, dockerfile, limit }: { readonly url: string; readonly dockerfile: string; readonly limit: number },
): AsyncGenerator<Uint8Array> {
  let text = Buffer.alloc(0);
  let isArchive = false;
  for await (const piece of source) {
    if (isArchive) {
      yield piece;
      continue;
    }
    text = Buffer.concat([text, piece]);
    isArchive = beginsArchive(text);
    if (isArchive) yield text;
    else if (text.length > limit) {
      throw new SampanError(
        "invalid",
        `Cannot build ${redacted(url)}: it is no tar archive, and too large for a Dockerfile`,
      );
    }
  }
  if (isArchive) return;
  const { stat } = impliedDirectory(now());
  const file = { type: "file", mode: 0o644, size: text.length, sparse: false } as const;
  const header = tarHeader({ ...stat, ...file, name: bytesOf(dockerfile) });
  yield Buffer.concat([header, text, Buffer.alloc(tarPadding(text.length)), tarEnd]);
}

function beginsArchive(bytes: Buffer): boolean {
  const block = bytes.subarray(0, BLOCK);
  return block.length === BLOCK && (isZeroBlock(block) || checksumMatches(block));
}
