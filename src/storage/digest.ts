import { createHash } from "node:crypto";
import { SampanError } from "../errors/index.ts";

declare const brand: unique symbol;

/** `algorithm:hex`, the address of bytes by their content (OCI image spec, descriptor.md, "Digests"). */
export type Digest = string & { readonly [brand]: "digest" };
/** The digest of a layer's uncompressed tar. */
export type DiffId = Digest & { readonly layer: "diff" };
/** The digest of a stack of layers: chain(n) = sha256(chain(n-1) + " " + diff(n)) (OCI config.md, "Layer ChainID"). */
export type ChainId = Digest & { readonly layer: "chain" };

const hexLength: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

/** Whether `text` is a digest of an algorithm Sampan can verify, written in lower case. */
export function isDigest(text: string): text is Digest {
  const colon = text.indexOf(":");
  return hexLength[text.slice(0, colon)] === text.length - colon - 1 && /^[0-9a-f]+$/.test(text.slice(colon + 1));
}

/** `text` as a digest; an error of kind "invalid" that quotes it otherwise. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new SampanError("invalid", `Cannot use ${JSON.stringify(text)} as a digest: it is not sha256:<64 hex digits>`);
}

/** `text` as the digest of an uncompressed layer. */
export function parseDiffId(text: string): DiffId {
  return parseDigest(text) as DiffId;
}

/** `text` as the digest of a stack of layers. */
export function parseChainId(text: string): ChainId {
  return parseDigest(text) as ChainId;
}

/** The part before the colon: the name `node:crypto` knows the hash by. */
export function algorithmOf(digest: Digest): string {
  return digest.slice(0, digest.indexOf(":"));
}

/** The part after the colon. */
export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(":") + 1);
}

/** The digest of bytes or of a string's UTF-8. */
export function digestOf(bytes: Uint8Array | string, algorithm = "sha256"): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}` as Digest;
}

/** The chain ids of a stack of layers, bottom first: one per layer. */
export function chainIds(diffIds: readonly DiffId[]): ChainId[] {
  const chains: ChainId[] = [];
  for (const diff of diffIds) {
    const below = chains.at(-1);
    chains.push((below === undefined ? diff : digestOf(`${below} ${diff}`)) as string as ChainId);
  }
  return chains;
}
