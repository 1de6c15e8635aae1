import { decompressed } from "../../images/decompress.ts";
import type { ImageTools } from "../../images/tools.ts";
import type { Stack } from "./stack.ts";

/** Unpacks the top layer of a stack out of its blob, unless it is there. */
export async function unpackLayer({ layers, content }: ImageTools, { layers: all, chains }: Stack): Promise<void> {
  const [layer, chainId] = [all.at(-1), chains.at(-1)];
  if (layer === undefined || chainId === undefined || layers.has(chainId)) return;
  await layers.apply({
    chainId,
    parents: chains.slice(0, -1),
    parentsReady: Promise.resolve(),
    tar: decompressed(content.read(layer.digest), `layer ${layer.digest}`),
  });
}
