import type { RegistryClient } from "../registry/client.ts";
import type { FoundRepository } from "../registry/search.ts";
import type { Reference, RegistryAuth } from "../registry/types.ts";
import type { ChainId, DiffId, Digest } from "../storage/digest.ts";
import type { CreateImage } from "./create/create.ts";
import type { LookUpOptions, RemoteImage } from "./distribution.ts";
import type { ImageManifest } from "./manifests.ts";
import type { WantedIndex } from "./push/push-index.ts";
import type { ServeImages } from "./serve/serve.ts";
import type { RegistryServer } from "./serve/server.ts";
import type { ImageTools } from "./tools.ts";

export type { CreateImage } from "./create/create.ts";

/** What an image is for (OCI image-index.md, "platform"); os and architecture by Go's names. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
  readonly "os.version"?: string | undefined;
}

/** How Docker probes a container's health; times in nanoseconds. */
export interface Healthcheck {
  readonly Test?: readonly string[] | undefined;
  readonly Interval?: number | undefined;
  readonly Timeout?: number | undefined;
  readonly StartPeriod?: number | undefined;
  readonly StartInterval?: number | undefined;
  readonly Retries?: number | undefined;
  /** Sampan's own: what becomes of a container that is unhealthy ("none", "restart", "kill", "stop"). */
  readonly OnFailure?: string | undefined;
}

/** Defaults for containers of the image (OCI config.md, "config", with Docker's additions). */
export interface ImageDefaults {
  readonly User?: string | undefined;
  readonly ExposedPorts?: Readonly<Record<string, object>> | undefined;
  readonly Env?: readonly string[] | undefined;
  readonly Entrypoint?: readonly string[] | undefined;
  readonly Cmd?: readonly string[] | undefined;
  readonly Volumes?: Readonly<Record<string, object>> | undefined;
  readonly WorkingDir?: string | undefined;
  readonly Labels?: Readonly<Record<string, string>> | undefined;
  readonly StopSignal?: string | undefined;
  /** Seconds. */
  readonly StopTimeout?: number | undefined;
  readonly ArgsEscaped?: boolean | undefined;
  readonly OnBuild?: readonly string[] | undefined;
  readonly Shell?: readonly string[] | undefined;
  readonly Healthcheck?: Healthcheck | undefined;
}

export interface HistoryEntry {
  readonly created?: string | undefined;
  readonly created_by?: string | undefined;
  readonly author?: string | undefined;
  readonly comment?: string | undefined;
  readonly empty_layer?: boolean | undefined;
}

/** The image's config blob (OCI config.md). JSON nulls have been dropped. */
export interface ImageConfig extends Platform {
  readonly created?: string | undefined;
  readonly author?: string | undefined;
  readonly config?: ImageDefaults | undefined;
  readonly rootfs: { readonly type: "layers"; readonly diff_ids: readonly DiffId[] };
  readonly history?: readonly HistoryEntry[] | undefined;
}

export interface StoredLayer {
  readonly diffId: DiffId;
  readonly chainId: ChainId;
  /** Unpacked bytes. */
  readonly size: number;
}

/** An index made here, which all of its images are here for. */
export interface ImageIndex {
  readonly digest: Digest;
  /** The image that has the index's names: the one for this machine. */
  readonly main: Digest;
}

/** An image that is here, complete and unpacked. */
export interface StoredImage {
  /** The config blob's digest. */
  readonly id: Digest;
  /** Familiar "repo:tag" names; none: dangling. */
  readonly names: readonly string[];
  /** Familiar "repo@sha256:…" names: the manifest or index digests it was pulled by. */
  readonly repoDigests: readonly string[];
  /** The indexes made here that it is in. */
  readonly indexes: readonly ImageIndex[];
  /** By name, the manifest or index that it stands for, where that was decided here: of images that were built. */
  readonly targets: Readonly<Record<string, Digest>>;
  readonly config: ImageConfig;
  /** Bottom first. Empty for a virtual image. */
  readonly layers: readonly StoredLayer[];
  /** Unpacked bytes of all layers. */
  readonly size: number;
  /** From the config, RFC 3339; "" when the config has none. */
  readonly createdAt: string;
  /** When a name was last given to it here, RFC 3339; "" when never. */
  readonly taggedAt: string;
  /** Set for an image whose layers are not stored but made from the machine: `sampan/host`. */
  readonly virtual?: "host";
}

/** One of Docker's progress lines as data. `id` is a layer's short id (or the tag), `current`/`total` are bytes. */
export interface Progress {
  readonly id?: string;
  readonly status: string;
  readonly current?: number;
  readonly total?: number;
}

/** A container made from an image. */
export interface ImageUser {
  readonly id: string;
  readonly running: boolean;
}

export interface PullOptions {
  /** The machine's own when absent. */
  readonly platform?: Platform | undefined;
  /** An image for another machine does not take the name from an image that has it; it is found by name and platform. */
  readonly givesWay?: boolean | undefined;
  readonly auth?: RegistryAuth | undefined;
  progress(line: Progress): void;
  readonly signal?: AbortSignal | undefined;
}

/** How layers can be compressed. */
export type Compression = "none" | "gzip" | "zstd";

export interface PushOptions {
  /** Every tag of the repository instead of one. */
  readonly allTags: boolean;
  /** Only the image of this platform, not the index it came with. */
  readonly platform?: Platform | undefined;
  /** Layers are to be compressed like this; as they are stored when absent. */
  readonly compression?: Compression | undefined;
  readonly auth?: RegistryAuth | undefined;
  progress(line: Progress): void;
  /** Told of every tag that the registry has now. */
  pushed(pushed: PushedTag): void;
  readonly signal?: AbortSignal | undefined;
}

export interface PushedTag {
  readonly image: StoredImage;
  readonly name: Reference;
  readonly tag: string;
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes of the manifest or index. */
  readonly size: number;
  /** The index that the image came with, when only this part of it is here. */
  readonly partOf?: { readonly digest: Digest; readonly mediaType: string; readonly bytes: Uint8Array } | undefined;
}

export interface LoadOptions {
  progress(line: Progress): void;
  /** Images for others are left out; without it those for this machine are meant, where there is a choice. */
  readonly platform?: Platform | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface LoadedImage {
  readonly image: StoredImage;
  /** Familiar names the archive gave it; none: "Loaded image ID: sha256:…". */
  readonly names: readonly string[];
}

export interface RemoveOptions {
  readonly force: boolean;
  /** Keep untagged parents; unused while images carry no parent. */
  readonly noPrune?: boolean | undefined;
  /** Containers, running or not, of the image. */
  inUse(id: Digest): readonly ImageUser[];
}

export type Removal = { readonly untagged: string } | { readonly deleted: string };

/** The images of this machine. An image becomes visible in one transaction after all of its layers are unpacked. */
export interface ImageStore {
  /** Fetches, verifies and unpacks; when the image is here already only its name is moved. */
  pull(reference: Reference, options: PullOptions): Promise<StoredImage>;
  /**
   * Brings an image and whatever its registry lacks of it there, under a tag or all of the repository's. Kind "denied" when
   * the registry wants (other) credentials.
   */
  push(reference: Reference, options: PushOptions): Promise<void>;
  /** Serves what is here to other machines by the distribution API, until `close`. */
  serve(options: ServeImages): Promise<RegistryServer>;
  /** The tags that a registry has of a repository. */
  tagsOf(
    reference: Reference,
    options: { readonly auth?: RegistryAuth | undefined; readonly signal?: AbortSignal | undefined },
  ): Promise<string[]>;
  /** What a registry has under a name. */
  lookUp(name: string, options: LookUpOptions): Promise<RemoteImage>;
  /** Repositories of Docker's index, or of another ("host/word"). */
  search(text: string, options: Parameters<RegistryClient["search"]>[1]): Promise<FoundRepository[]>;
  /** Makes an index in a registry of manifests that are there; answers its digest. */
  pushIndex(index: WantedIndex, options: LookUpOptions): Promise<Digest>;
  /** Reads a docker-archive or OCI layout tar, plain, gzip or zstd. */
  load(archive: AsyncIterable<Uint8Array>, options: LoadOptions): Promise<LoadedImage[]>;
  /** Makes an image of one more layer. It is there complete and with its name, or not at all. */
  /** Makes an image, which is on the disk a moment later: see `settling`. */
  create(image: CreateImage): Promise<StoredImage>;
  /** Resolves when an image that was made here is on the disk; undefined when it is. */
  settling(id: Digest): Promise<void> | undefined;
  /**
   * An archive of images by names and ids, as docker writes it; errors come before the first byte. Of an index made here all
   * of its images, unless a platform is named.
   */
  save(names: readonly string[], platform?: Platform): Promise<AsyncGenerator<Uint8Array>>;
  /**
   * By name, id, unique id prefix or name@digest, and by an index's digest; of an index the image for the platform. Kind
   * "not-found", "No such image: x:latest".
   */
  resolve(nameOrId: string, platform?: Platform): StoredImage;
  /** Newest first, the virtual image last. One indexed query: no file is read. */
  list(): StoredImage[];
  /** What an image's name stands for, platform by platform; also those that are not here. */
  manifestsOf(image: StoredImage): Promise<ImageManifest[]>;
  /** Docker's rules: a name is untagged; with the last name the image goes, with every layer nobody else needs. */
  remove(nameOrId: string, options: RemoveOptions): Promise<Removal[]>;
  /** Gives what is found by a name or id another name, taking it from the image that had it. */
  tag(nameOrId: string, reference: Reference): void;
  /** What images are made with: for the builder, whose layers lie where the images' do. */
  tools(): Promise<ImageTools>;
  /**
   * Deletes what a forced removal had to leave behind because containers stood on its layers. To be called when a
   * container has been removed.
   */
  collect(inUse: RemoveOptions["inUse"]): Promise<void>;
  /** Deletes what interrupted pulls have left for the next ones; returns how many bytes that were. */
  collectInterrupted(): Promise<number>;
}
