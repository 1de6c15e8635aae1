import { SampanError } from "../../errors/index.ts";
import { documentLimit } from "../../images/shapes.ts";
import { algorithmOf, type Digest, digestOf } from "../../storage/digest.ts";
import type { LentStore } from "./types.ts";

/** A manifest, index or configuration of a lent store, verified. `name`: how people know the store. */
export async function readLentDocument(
  { store, name }: { readonly store: Pick<LentStore, "read">; readonly name: string },
  digest: Digest,
  signal: AbortSignal,
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of await store.read(digest, 0, signal)) {
    size += piece.length;
    if (size > documentLimit) {
      throw new SampanError("invalid", `Cannot use ${name}: blob ${digest} is larger than ${documentLimit} bytes`);
    }
    pieces.push(piece);
  }
  return verified(Buffer.concat(pieces), digest, name);
}

/** The bytes, when they are the blob. */
export function verified(bytes: Buffer, digest: Digest, name: string): Buffer {
  if (digestOf(bytes, algorithmOf(digest)) === digest) return bytes;
  throw new SampanError("invalid", `Cannot use ${name}: blob ${digest} has another digest in truth`);
}
