import { cancelled } from "../../errors/cancel.ts";
import { SampanError } from "../../errors/index.ts";
import { mediaTypes } from "../../registry/media-types.ts";
import type { ChainId, DiffId } from "../../storage/digest.ts";
import type { MadeLayer } from "../../storage/layers/types.ts";
import { type ArchivePiece, isCopied } from "../../storage/pack/pieces.ts";
import type { Hold } from "../garbage.ts";
import { storeMadeBlob } from "../made-blob.ts";
import type { Descriptor } from "../shapes.ts";
import type { ImageTools } from "../tools.ts";
import { emptyLayer } from "./layer-blob.ts";

/**
 * Says of a layer in a manifest that it was made here and is to be compressed before it goes elsewhere: see
 * docs/decisions/layers-made-here.md. Nothing else has it, so that layers that came without compression stay as they are.
 */
const made = "dev.sampan.layer.made";

export function isMade({ annotations }: Pick<Descriptor, "annotations">): boolean {
  return annotations !== undefined && Object.hasOwn(annotations, made);
}

/** The uncompressed tar of a layer; or what writes a part of it to the file that it is stored in. */
export type LayerSource = AsyncIterable<Uint8Array> | ((archive: string) => AsyncIterable<ArchivePiece>);

/** A layer as a container has left it: its tar a blob, and the same unpacked. */
export interface PlainLayer {
  readonly diffId: DiffId;
  readonly descriptor: Descriptor;
  readonly unpacked: MadeLayer;
}

/**
 * Stores a layer's tar as it is, and unpacks it, in one pass. Holds the blob. Undefined when nothing is in it; then, and after
 * an error, nothing is left.
 */
export async function storePlainLayer(
  tools: Pick<ImageTools, "content" | "garbage" | "layers">,
  hold: Hold,
  { source, parents }: { readonly source: LayerSource; readonly parents: readonly ChainId[] },
  signal: AbortSignal | undefined,
): Promise<PlainLayer | undefined> {
  let unpacked: MadeLayer | undefined;
  try {
    const { digest, size } = await storeMadeBlob(tools, hold, "layer", async (write, ingest) => {
      async function* stored(): AsyncGenerator<ArchivePiece> {
        for await (const piece of typeof source === "function" ? source(ingest.path) : source) {
          if (signal?.aborted) throw cancelled(signal);
          if (!isCopied(piece)) await write(piece);
          else if (piece.at === ingest.offset) await ingest.took(piece.size);
          else throw new SampanError("internal", `Cannot store a layer: ${piece.at} is not ${ingest.offset}`);
          yield piece;
        }
      }
      unpacked = await tools.layers.make({ parents, tar: stored(), archive: ingest.path, signal });
    });
    if (unpacked !== undefined && digest !== emptyLayer) {
      const descriptor = { mediaType: mediaTypes.ociLayer, digest, size, annotations: { [made]: "" } };
      return { diffId: digest as DiffId, descriptor, unpacked };
    }
  } catch (error) {
    await unpacked?.discard();
    throw error;
  }
  await unpacked?.discard();
  return undefined;
}
