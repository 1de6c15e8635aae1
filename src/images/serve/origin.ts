import type { Digest } from "../../storage/digest.ts";

/** A manifest or index as it is served. */
export interface ServedDocument {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** A blob that can be read from anywhere. */
export interface ServedBlob {
  readonly size: number;
  /** The bytes from `first` to `last`, the last included. */
  read(first: number, last: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** Of what, and for whom. */
export interface Asked {
  readonly repository: string;
  /** The registry that is meant, when the client says so. */
  readonly ns: string | undefined;
  readonly signal: AbortSignal;
}

/** Where a registry has its images from. What is not there is undefined. */
export interface Origin {
  repositories(): string[];
  tags(asked: Asked): Promise<string[] | undefined>;
  /** What a tag stands for: the index first, then the manifest for those who take no index. */
  documents(asked: Asked, tag: string): Promise<readonly ServedDocument[]>;
  document(asked: Asked, digest: Digest): Promise<ServedDocument | undefined>;
  blob(asked: Asked, digest: Digest): Promise<ServedBlob | undefined>;
}
