import { SampanError } from "../../errors/index.ts";
import { decompressed } from "../../images/decompress.ts";
import { fetchUrl } from "../../images/fetch-url.ts";
import { BLOCK, checksumMatches, isZeroBlock } from "../../storage/tar/header.ts";
import { tarEnd, tarHeader, tarPadding } from "../../storage/tar/writer.ts";
import { bytesOf } from "../files/source-tree.ts";
import { impliedDirectory, now } from "./tree.ts";

/** The tar archive at a URL, plain or compressed; one of the Dockerfile alone, where the URL is that of a text. */
export async function remoteContext(
  url: string,
  { dockerfile, limit, signal }: { readonly dockerfile: string; readonly limit: number; readonly signal: AbortSignal },
): Promise<AsyncIterable<Uint8Array>> {
  return archiveOf(decompressed(await download(url, signal), "the build context"), { url, dockerfile, limit });
}

async function download(url: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  if (!/^https?:\/\//.test(url) || /\.git(#.*)?$/.test(url)) {
    throw new SampanError(
      "unsupported",
      `Cannot build ${url}: repositories are not supported; clone it, and build that`,
    );
  }
  return (await fetchUrl(url, signal)).body;
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
      throw new SampanError("invalid", `Cannot build ${url}: it is no tar archive, and too large for a Dockerfile`);
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
