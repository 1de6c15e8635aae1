import type { Digest } from "../../storage/digest.ts";
import type { Manifest } from "../shapes.ts";
import type { ImageConfig } from "../types.ts";

/** An image of an archive; all its blobs are in the content store, its manifest too. */
export interface FoundImage {
  readonly id: Digest;
  readonly config: ImageConfig;
  readonly manifest: Manifest;
  readonly manifestDigest: Digest;
  readonly manifestSize: number;
  readonly mediaType: string;
  readonly related: readonly Digest[];
  /** As the archive has them. */
  readonly names: readonly string[];
  /** The index that the names stand for, when all of it is in the archive. */
  readonly whole?: WholeIndex | undefined;
}

/** An index with everything that it leads to. */
export interface WholeIndex {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  /** Its images for other platforms. */
  readonly others: readonly FoundImage[];
}
