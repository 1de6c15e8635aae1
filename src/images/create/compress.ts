import { createHash } from "node:crypto";
import { cancelled } from "../../errors/cancel.ts";
import { SampanError } from "../../errors/index.ts";
import { mediaTypes } from "../../registry/media-types.ts";
import type { Digest } from "../../storage/digest.ts";
import type { Hold } from "../garbage.ts";
import { putHeld, storeMadeBlob } from "../made-blob.ts";
import { shortId } from "../progress.ts";
import { type Descriptor, documentLimit, parseDocument } from "../shapes.ts";
import type { ImageTools } from "../tools.ts";
import type { Progress } from "../types.ts";
import { gzipped } from "./gzip.ts";
import { isMade } from "./plain-layer.ts";

interface CompressOptions {
  progress(line: Progress): void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Compresses the layers of an image that were made here and have been nowhere else yet, and stores it so from then on: what
 * is made of it, and what others get, are the same bytes. The image's id does not change, its manifest does.
 */
export async function compressMade(tools: ImageTools, id: Digest, options: CompressOptions): Promise<void> {
  const { records } = tools;
  const row = records.manifestOf(id);
  // What an index made here leads to has to stay what it is; nothing in there was made by a commit.
  if (row === undefined || records.byId(id)?.indexes.length !== 0) return;
  const hold = tools.garbage.hold();
  try {
    await tools.garbage.add(hold, [row.digest]);
    const stored = await tools.content.readSmall(row.digest, documentLimit);
    const document = parseDocument(stored, id, row.mediaType);
    if (document.kind !== "manifest" || !document.manifest.layers.some(isMade)) return;
    const { manifest } = document;
    await tools.garbage.add(
      hold,
      manifest.layers.map(({ digest }) => digest),
    );
    const layers: Descriptor[] = [];
    for (const layer of manifest.layers) {
      layers.push(isMade(layer) ? await compressLayer(tools, hold, layer, options) : layer);
    }
    const bytes = Buffer.from(JSON.stringify({ ...JSON.parse(stored.toString("utf8")), layers }));
    const digest = await putHeld(tools, hold, bytes);
    const fresh = layers.filter((layer, at) => layer !== manifest.layers[at]).map((layer) => layer.digest);
    await tools.content.sync([digest, ...fresh]);
    records.replaceManifest(id, {
      manifest: { digest, mediaType: row.mediaType, size: bytes.length },
      from: row.digest,
      gone: manifest.layers.filter(isMade).map((layer) => layer.digest),
      come: fresh,
    });
    await tools.syncIndex();
  } finally {
    await tools.garbage.release(hold, false);
  }
}

async function compressLayer(
  tools: ImageTools,
  hold: Hold,
  { digest }: Descriptor,
  { progress, signal }: CompressOptions,
): Promise<Descriptor> {
  progress({ id: shortId(digest), status: "Compressing" });
  const blob = await storeMadeBlob(tools, hold, "compress", async (write) => {
    for await (const piece of gzipped(verified(tools, digest))) {
      if (signal?.aborted) throw cancelled(signal);
      await write(piece);
    }
  });
  return { mediaType: `${mediaTypes.ociLayer}+gzip`, ...blob };
}

/** A blob's bytes, of which the last only comes when they are those that were stored. */
async function* verified({ content }: Pick<ImageTools, "content">, digest: Digest): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  for await (const piece of content.read(digest)) {
    hash.update(piece);
    yield piece;
  }
  if (`sha256:${hash.digest("hex")}` !== digest) {
    throw new SampanError("internal", `Cannot compress layer ${digest}: its file has been changed`);
  }
}
