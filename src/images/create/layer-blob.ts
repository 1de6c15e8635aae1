import { createHash } from "node:crypto";
import { cancelled } from "../../errors/cancel.ts";
import { mediaTypes } from "../../registry/media-types.ts";
import type { DiffId, Digest } from "../../storage/digest.ts";
import type { Hold } from "../garbage.ts";
import { storeMadeBlob } from "../made-blob.ts";
import type { ImageTools } from "../tools.ts";
import { gzipped } from "./gzip.ts";

/** The digest of a tar archive with nothing in it: a layer that changes nothing. */
export const emptyLayer = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";

export interface LayerBlob {
  readonly diffId: DiffId;
  readonly digest: Digest;
  /** Bytes of the compressed blob. */
  readonly size: number;
  readonly mediaType: string;
}

/** What everybody reads: docs/decisions/layers-made-here.md. */
const mediaType = `${mediaTypes.ociLayer}+gzip`;

/**
 * Stores a layer's tar as a compressed blob, hashed both ways in one pass, and holds it. After an error nothing is left.
 */
export async function storeLayerBlob(
  tools: Pick<ImageTools, "content" | "garbage">,
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
  const blob = await storeMadeBlob(tools, hold, "layer", async (write) => {
    for await (const piece of gzipped(hashed())) await write(piece);
  });
  return { ...blob, diffId: `sha256:${plain.digest("hex")}` as DiffId, mediaType };
}
