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
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly Containers: number;
}

/** GET /images/{name}/json, the part that clients rely on. */
export interface ImageInspect {
  readonly Id: string;
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
  readonly Created?: string;
  readonly Architecture: string;
  readonly Os: string;
  readonly Size: number;
  readonly Config: object;
  readonly RootFS: { readonly Type: string; readonly Layers: readonly string[] };
}

/** DELETE /images/{name}: one entry per name taken away and per image deleted. */
export interface ImageDeleteResponseItem {
  readonly Untagged?: string;
  readonly Deleted?: string;
}

/** One line of a progress stream (pull, load). */
export interface ProgressLine {
  readonly id?: string;
  readonly status?: string;
  readonly stream?: string;
  readonly progress?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly error?: string;
  readonly errorDetail?: { readonly message: string; readonly code?: number };
}
