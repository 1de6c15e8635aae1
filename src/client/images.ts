import type { Readable } from "node:stream";
import type {
  ImageDeleteResponseItem,
  ImageInspect,
  ImageSummary,
  ProgressLine,
  PruneImagesResponse,
  PushIndexRequest,
  RemoteManifest,
  SearchResult,
} from "../api/shapes/image.ts";
import type { Transport } from "./transport.ts";

export interface ListImages {
  /** With what each name stands for, platform by platform. */
  readonly manifests?: boolean | undefined;
  readonly all?: boolean | undefined;
  readonly filters?: Readonly<Record<string, readonly string[]>> | undefined;
}

export interface PullImage {
  readonly tag?: string | undefined;
  readonly platform?: string | undefined;
  /** Credentials as the header X-Registry-Auth takes them: base64url of JSON. */
  readonly auth?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PushImage extends PullImage {
  /** Layers are compressed like this before they travel; as they are stored when absent. */
  readonly compression?: "none" | "gzip" | "zstd" | undefined;
}

export interface SearchImages {
  readonly limit?: number | undefined;
  readonly filters?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly auth?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RemoteOptions {
  /** Credentials as for `pull`. */
  readonly auth?: string | undefined;
  /** Without verified TLS, if need be. */
  readonly insecure?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

const flagOf = (insecure = false) => ({ insecure: insecure ? 1 : undefined });
const headersOf = (auth: string | undefined): Record<string, string> => {
  return auth === undefined ? {} : { "X-Registry-Auth": auth };
};

/** Where an image's requests go: the slashes of its name are the path's, everything else of it is only a name. */
export function imagePath(name: string): string {
  return `/images/${inPath(name)}`;
}

function inPath(name: string): string {
  return name.split("/").map(encodeURIComponent).join("/");
}

/** The images of a daemon. */
export class Images {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(options: ListImages = {}): Promise<ImageSummary[]> {
    return this.#transport.json({
      method: "GET",
      path: "/images/json",
      query: { ...options, manifests: options.manifests ? 1 : undefined },
    });
  }

  /** `platform` as "os/arch[/variant]": an image of another one is none. */
  inspect(image: string, options: { platform?: string | undefined } = {}): Promise<ImageInspect> {
    return this.#transport.json({ method: "GET", path: `${imagePath(image)}/json`, query: options });
  }

  /** Fetches an image from its registry; a failure after the start arrives as a line with `error`. */
  pull(image: string, { tag, platform, auth, signal }: PullImage = {}): Promise<AsyncGenerator<ProgressLine>> {
    const query = { fromImage: image, tag, platform };
    const headers = auth === undefined ? {} : { "X-Registry-Auth": auth };
    return this.#transport.lines({ method: "POST", path: "/images/create", query, headers, signal });
  }

  /** Brings an image to its registry, all tags of a repository when none is named; failures arrive as for `pull`. */
  push(
    repository: string,
    { tag, platform, compression, auth, signal }: PushImage = {},
  ): Promise<AsyncGenerator<ProgressLine>> {
    const headers = { "X-Registry-Auth": auth ?? Buffer.from("{}").toString("base64url") };
    const path = `${imagePath(repository)}/push`;
    return this.#transport.lines({ method: "POST", path, query: { tag, platform, compression }, headers, signal });
  }

  /** Repositories of Docker's index, or of another ("host/word"). */
  search(term: string, { limit, filters, auth, signal }: SearchImages = {}): Promise<SearchResult[]> {
    const query = { term, limit, filters };
    return this.#transport.json({ method: "GET", path: "/images/search", query, headers: headersOf(auth), signal });
  }

  /** What a registry has under a name, to the byte. */
  remoteManifest(name: string, { auth, insecure, signal }: RemoteOptions = {}): Promise<RemoteManifest> {
    const path = `/distribution/${inPath(name)}/manifest`;
    return this.#transport.json({ method: "GET", path, query: flagOf(insecure), headers: headersOf(auth), signal });
  }

  /** Makes an index in a registry of manifests that are there; resolves with its digest. */
  async pushIndex(
    name: string,
    body: PushIndexRequest,
    { auth, insecure, signal }: RemoteOptions = {},
  ): Promise<string> {
    const path = `/distribution/${inPath(name)}/index`;
    const rest = { query: flagOf(insecure), headers: headersOf(auth), signal };
    const { Digest } = await this.#transport.json<{ Digest: string }>({ method: "POST", path, body, ...rest });
    return Digest;
  }

  /** Loads a docker archive or an OCI layout from a tar stream. */
  load(
    archive: Readable,
    { quiet, platform }: { quiet?: boolean | undefined; platform?: string | undefined } = {},
  ): Promise<AsyncGenerator<ProgressLine>> {
    return this.#transport.lines({
      method: "POST",
      path: "/images/load",
      query: { quiet: quiet ? 1 : 0, platform },
      headers: { "Content-Type": "application/x-tar" },
      upload: archive,
    });
  }

  /** Removes images that no container uses: those without a name, with `dangling=false` all. */
  prune(
    options: { filters?: Readonly<Record<string, readonly string[]>> | undefined } = {},
  ): Promise<PruneImagesResponse> {
    return this.#transport.json({ method: "POST", path: "/images/prune", query: options });
  }

  remove(
    image: string,
    options: { force?: boolean | undefined; noprune?: boolean | undefined; platforms?: string | undefined } = {},
  ): Promise<ImageDeleteResponseItem[]> {
    return this.#transport.json({ method: "DELETE", path: imagePath(image), query: options });
  }
}
