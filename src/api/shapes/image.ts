/** Docker's JSON of an image, and of the progress of work on images. */

/** One row of GET /images/json. */
export interface ImageSummary {
  readonly Id: string;
  readonly ParentId: string;
  readonly RepoTags: readonly string[] | null;
  readonly RepoDigests: readonly string[] | null;
  /** Unix seconds. */
  readonly Created: number;
  /** Bytes. */
  readonly Size: number;
  readonly SharedSize: number;
  /** Before API 1.44; the same as Size. */
  readonly VirtualSize?: number;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly Containers: number;
  /** With `manifests=1`, since API 1.47. */
  readonly Manifests?: readonly ManifestSummary[];
}

/** One of the manifests that an image's name stands for. */
export interface ManifestSummary {
  readonly ID: string;
  readonly Descriptor: DescriptorJson & { readonly platform?: PlatformJson };
  /** Whether all of it is here. */
  readonly Available: boolean;
  /** Bytes: of blobs, and with what was unpacked of them. */
  readonly Size: { readonly Content: number; readonly Total: number };
  readonly Kind: "image" | "attestation";
  readonly ImageData?: {
    readonly Platform: PlatformJson;
    readonly Size: { readonly Unpacked: number };
    /** Ids. */
    readonly Containers: readonly string[];
  };
}

/** GET /images/{name}/json. */
export interface ImageInspect {
  readonly Id: string;
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
  readonly Parent: string;
  readonly Comment: string;
  readonly Created?: string;
  readonly DockerVersion: string;
  readonly Author: string;
  readonly Architecture: string;
  readonly Variant?: string;
  readonly Os: string;
  readonly OsVersion?: string;
  /** Bytes. */
  readonly Size: number;
  /** Before API 1.44; the same as Size. */
  readonly VirtualSize?: number;
  /** Before API 1.45. */
  readonly Container?: string;
  readonly ContainerConfig?: object;
  readonly GraphDriver: { readonly Name: string; readonly Data: Readonly<Record<string, string>> | null };
  readonly Metadata: { readonly LastTagTime: string };
  readonly Config: ImageDefaults;
  readonly RootFS: { readonly Type: string; readonly Layers: readonly string[] };
}

/** What containers of the image get unless they ask for something else. */
export interface ImageDefaults {
  readonly User: string;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly Env: readonly string[] | null;
  readonly Cmd: readonly string[] | null;
  readonly Entrypoint: readonly string[] | null;
  readonly Volumes: Readonly<Record<string, object>> | null;
  readonly WorkingDir: string;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly OnBuild: readonly string[] | null;
  readonly ArgsEscaped?: boolean;
  readonly StopSignal?: string;
  readonly Shell?: readonly string[];
  readonly Healthcheck?: object;
}

/** One entry of GET /images/{name}/history, the newest first. */
export interface ImageHistoryItem {
  /** The image's id, or `<missing>`. */
  readonly Id: string;
  /** Unix seconds. */
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Tags: readonly string[] | null;
  /** Bytes. */
  readonly Size: number;
  readonly Comment: string;
}

/** POST /images/prune. */
export interface PruneImagesResponse {
  readonly ImagesDeleted: readonly ImageDeleteResponseItem[] | null;
  /** Bytes. */
  readonly SpaceReclaimed: number;
}

/** DELETE /images/{name}: one entry per name taken away and per image deleted. */
export interface ImageDeleteResponseItem {
  readonly Untagged?: string;
  readonly Deleted?: string;
}

/** One row of GET /images/search. */
export interface SearchResult {
  readonly name: string;
  readonly description: string;
  readonly star_count: number;
  readonly is_official: boolean;
  readonly is_automated: boolean;
}

/** What a line of a push says for programs: what the registry has now, or that it is a part of what was meant. */
export interface PushResult {
  readonly Tag: string;
  readonly Digest: string;
  /** Bytes of the manifest. */
  readonly Size: number;
}

/** Instead of an index, of which not all is here, one of its manifests was pushed. */
export interface PushedInstead {
  readonly manifestPushedInsteadOfIndex: true;
  readonly originalIndex: DescriptorJson;
  readonly selectedManifest: DescriptorJson;
}

/** An OCI descriptor. */
export interface DescriptorJson {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** One line of a progress stream (pull, push, load). */
export interface ProgressLine {
  readonly id?: string;
  readonly status?: string;
  readonly stream?: string;
  readonly progress?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly aux?: PushResult | PushedInstead | { readonly ID: string };
  readonly error?: string;
  readonly errorDetail?: { readonly message: string; readonly code?: number };
}

/** GET /distribution/{name}/manifest, which is not Docker's: what a registry has under a name, to the byte. */
export interface RemoteManifest {
  /** The name in full. */
  readonly Ref: string;
  readonly Descriptor: DescriptorJson;
  /** Of one manifest; an index has those of its entries in its own text. */
  readonly Platform?: PlatformJson;
  /** In base64. */
  readonly Raw: string;
}

/** An OCI platform. */
export interface PlatformJson {
  readonly architecture: string;
  readonly os: string;
  readonly "os.version"?: string | undefined;
  readonly "os.features"?: readonly string[] | undefined;
  readonly variant?: string | undefined;
}

/** POST /distribution/{name}/index, which is not Docker's: the manifests that an index is to have. */
export interface PushIndexRequest {
  readonly Manifests: readonly {
    readonly Ref: string;
    readonly Descriptor: DescriptorJson & { readonly platform?: PlatformJson | undefined };
  }[];
}

/** GET /distribution/{name}/json. */
export interface DistributionInspect {
  readonly Descriptor: { readonly mediaType: string; readonly digest: string; readonly size: number };
  readonly Platforms: readonly {
    readonly architecture: string;
    readonly os: string;
    readonly variant?: string | undefined;
  }[];
}
