import type { ImageDefaults, Platform } from "../../images/types.ts";

export interface CommitRequest {
  readonly container: string;
  /** A name for the image; none leaves it without. */
  readonly reference?: string | undefined;
  readonly author: string;
  readonly comment: string;
  /** Freeze the container while its layer is read. */
  readonly pause: boolean;
  /** Dockerfile instructions. */
  readonly changes: readonly string[];
  /** Instead of what the container has. */
  readonly config?: ImageDefaults | undefined;
}

export interface ImportRequest {
  readonly reference?: string | undefined;
  /** What the history says. */
  readonly comment: string;
  readonly changes: readonly string[];
  readonly platform?: Platform | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Images that are made of what is here, and that are given away. */
export interface ImageMaking {
  /** Makes an image of what a container has changed; answers its id. */
  commit(request: CommitRequest): Promise<string>;
  /** Makes an image of a root file system's tar archive, plain, gzip or zstd; answers its id. */
  import(request: ImportRequest, tar: AsyncIterable<Uint8Array>): Promise<string>;
  /** An archive of images; errors come before the first byte. */
  save(names: readonly string[]): Promise<AsyncGenerator<Uint8Array>>;
}
