import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { passing } from "../../storage/content/ingest.ts";
import type { DiffId, Digest } from "../../storage/digest.ts";
import type { Hold } from "../garbage.ts";
import { cancelled } from "../slots.ts";
import type { ImageTools } from "../tools.ts";

/** The digest of a tar archive with nothing in it: a layer that changes nothing. */
const emptyLayer = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";

export interface LayerBlob {
  readonly diffId: DiffId;
  readonly digest: Digest;
  /** Bytes of the compressed blob. */
  readonly size: number;
  /** Nothing is in it. */
  readonly isEmpty: boolean;
}

/** Making an image is to be quick: a third of the default's time for a tenth more bytes. */
const level = 1;

/**
 * Stores a layer's tar as a compressed blob, hashed both ways in one pass, and holds it. After an error nothing is left.
 */
export async function storeLayerBlob(
  { content, garbage }: Pick<ImageTools, "content" | "garbage">,
  hold: Hold,
  tar: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<LayerBlob> {
  const plain = createHash("sha256");
  async function* hashed(): AsyncGenerator<Uint8Array> {
    for await (const chunk of tar) {
      if (signal?.aborted) throw cancelled(signal);
      plain.update(chunk);
      yield chunk;
    }
  }
  const ingest = await content.ingest(passing("layer"));
  const source = Readable.from(hashed(), { objectMode: false });
  const gzip = createGzip({ level, chunkSize: 256 * 1024 });
  source.once("error", (error) => gzip.destroy(error));
  try {
    for await (const piece of source.pipe(gzip)) await ingest.write(piece as Uint8Array);
    const diffId = `sha256:${plain.digest("hex")}` as DiffId;
    const blob = { diffId, digest: ingest.digest(), size: ingest.offset, isEmpty: diffId === emptyLayer };
    await garbage.add(hold, [blob.digest]);
    await content.commit(ingest, blob.size, blob.digest);
    return blob;
  } catch (error) {
    await ingest.discard();
    throw error;
  } finally {
    source.destroy();
  }
}
