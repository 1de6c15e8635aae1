import type {
  ImageDefaults,
  ImageStore,
  Platform,
  Progress,
  PushedTag,
  PushOptions,
  Removal,
  StoredImage,
} from "../../images/types.ts";
import type { RegistryAuth } from "../../registry/types.ts";
import type { Digest } from "../../storage/digest.ts";

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
  /** An archive of images, see `ImageStore`; errors come before the first byte. */
  save(names: readonly string[], platform?: Platform): Promise<AsyncGenerator<Uint8Array>>;
}

export interface EnginePullOptions {
  /** A name, a digest is a part of it. */
  readonly reference: string;
  readonly platform?: Platform | undefined;
  /** See `PullOptions`. */
  readonly givesWay?: boolean | undefined;
  readonly auth?: RegistryAuth | undefined;
  progress(line: Progress): void;
  readonly signal?: AbortSignal | undefined;
}

export interface EnginePushOptions extends Omit<PushOptions, "pushed"> {
  /** Repository and tag, or a repository alone with `allTags`. */
  readonly reference: string;
  /** Told of every tag that the registry has now. */
  pushed(pushed: PushedTag): void;
}

export interface PrunedImages {
  readonly removals: readonly Removal[];
  /** Bytes. */
  readonly reclaimed: number;
}

/** The image store with the engine's knowledge: events, who uses an image, one download for all who ask for it. */
export interface Images extends ImageMaking {
  /** Joins a pull of the same image that is under way; each caller gets all progress from its beginning. */
  pull(options: EnginePullOptions): Promise<StoredImage>;
  /** Pulls every tag of a repository, one after the other. */
  pullAll(options: EnginePullOptions): Promise<void>;
  push(options: EnginePushOptions): Promise<void>;
  load: ImageStore["load"];
  serve: ImageStore["serve"];
  resolve: ImageStore["resolve"];
  list: ImageStore["list"];
  manifestsOf: ImageStore["manifestsOf"];
  lookUp: ImageStore["lookUp"];
  pushIndex: ImageStore["pushIndex"];
  search: ImageStore["search"];
  remove(
    nameOrId: string,
    options: { readonly force: boolean; readonly noPrune?: boolean | undefined },
  ): Promise<Removal[]>;
  /** Removes those that no container has and that `wanted` takes, and what interrupted pulls have left. */
  prune(wanted: (image: StoredImage) => boolean): Promise<PrunedImages>;
  tag(nameOrId: string, target: string): void;
  /** How many containers, running or not, are made from it. */
  containersOf(imageId: string): number;
  /** Their ids. */
  containerIdsOf(imageId: Digest): string[];
}
