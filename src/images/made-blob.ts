import { type Ingest, passing } from "../storage/content/ingest.ts";
import { type Digest, digestOf } from "../storage/digest.ts";
import type { Blob } from "./download.ts";
import type { Hold } from "./garbage.ts";
import type { ImageTools } from "./tools.ts";

/**
 * Stores what `fill` writes as a blob, and holds it. `fill` is given the file, too, for what others write there. After an error nothing is left of it. `purpose` is a word for the file
 * that it is written to meanwhile.
 */
export async function storeMadeBlob(
  { content, garbage }: Pick<ImageTools, "content" | "garbage">,
  hold: Hold,
  purpose: string,
  fill: (write: (piece: Uint8Array) => Promise<void>, ingest: Ingest) => Promise<void>,
): Promise<Blob> {
  const ingest = await content.ingest(passing(purpose));
  try {
    await fill((piece) => ingest.write(piece), ingest);
    const blob = { digest: ingest.digest(), size: ingest.offset };
    await garbage.add(hold, [blob.digest]);
    await content.commit(ingest, blob.size, blob.digest);
    return blob;
  } catch (error) {
    await ingest.discard();
    throw error;
  }
}

/** Stores bytes as a blob, and holds it. */
export async function putHeld(
  { content, garbage }: Pick<ImageTools, "content" | "garbage">,
  hold: Hold,
  bytes: Buffer,
): Promise<Digest> {
  await garbage.add(hold, [digestOf(bytes)]);
  return await content.put(bytes);
}
