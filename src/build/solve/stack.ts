import { SampanError } from "../../errors/index.ts";
import { type ChainId, chainIds, type DiffId, type Digest } from "../../storage/digest.ts";

/** A layer of a build: unpacked in the layer store, its blob in the content store. */
export interface BuiltLayer {
  readonly diffId: DiffId;
  readonly digest: Digest;
  /** Bytes of the blob. */
  readonly size: number;
  /** Of OCI. */
  readonly mediaType: string;
}

/** A file system: layers, bottom first. */
export interface Stack {
  readonly layers: readonly BuiltLayer[];
  readonly chains: readonly ChainId[];
  /** The machine's own root file system; it has no layers, and its files change without notice. */
  readonly host?: true;
}

export const emptyStack: Stack = { layers: [], chains: [] };

/** `sampan/host`: files are copied from it, nothing is put on it. */
export const hostStack: Stack = { layers: [], chains: [], host: true };

export function stackOf(layers: readonly BuiltLayer[]): Stack {
  return { layers, chains: chainIds(layers.map(({ diffId }) => diffId)) };
}

/** The layer that a step has put on. */
export function topOf({ layers }: Stack): BuiltLayer {
  const top = layers.at(-1);
  if (top === undefined) throw new SampanError("internal", "Cannot use the result of a build step: it has no layer");
  return top;
}

/** What a stack of layers is called in keys: two of the same name have the same content. */
export function identityOf({ chains }: Stack): string {
  return chains.at(-1) ?? "scratch";
}
