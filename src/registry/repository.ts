import type { Readable } from "node:stream";
import * as z from "zod";
import { SampanError } from "../errors/index.ts";
import { algorithmOf, type Digest, digestOf, isDigest } from "../storage/digest.ts";
import { complaintOf, failure, kindOfStatus } from "./failure.ts";
import type { HttpRequest, HttpResponse, Send } from "./http.ts";
import { readBounded } from "./limit.ts";
import { manifestTypes } from "./media-types.ts";
import type { Origin } from "./origin.ts";
import type { Reference } from "./types.ts";

/** A manifest or index as it was served; the bytes have the digest. */
export interface RawManifest {
  readonly bytes: Buffer;
  readonly digest: Digest;
  /** The Content-Type without parameters. */
  readonly mediaType: string;
}

/** The rest of a blob from `offset` on. */
export interface BlobPart {
  readonly offset: number;
  readonly body: Readable;
}

/** A request below `/v2/<repository>/`. */
export type RepositoryRequest = Pick<HttpRequest, "method" | "headers" | "limit" | "signal"> & {
  readonly path: string;
};

export type RepositorySend = (request: RepositoryRequest) => Promise<HttpResponse>;

/** The pull side of the distribution API (OCI distribution-spec 1.1) for one repository. */
export class Repository {
  readonly #reference: Reference;
  readonly #send: RepositorySend;

  constructor(reference: Reference, send: RepositorySend) {
    this.#reference = reference;
    this.#send = send;
  }

  /** The digest the registry has for a tag, or undefined when it does not say. Costs no pull of a rate limit. */
  async digestOf(tag: string, signal?: AbortSignal): Promise<Digest | undefined> {
    const path = `manifests/${tag}`;
    const response = await this.#send({
      method: "HEAD",
      path,
      headers: { accept: manifestTypes },
      limit: 4096,
      signal,
    });
    const digest = response.headers["docker-content-digest"];
    return response.status === 200 && typeof digest === "string" && isDigest(digest) ? digest : undefined;
  }

  /** Fetches a manifest of at most `limit` bytes by tag or digest; the digest is verified, or made from the bytes. */
  async manifest(version: string, limit: number, signal?: AbortSignal): Promise<RawManifest> {
    const path = `manifests/${version}`;
    const response = await this.#send({ method: "GET", path, headers: { accept: manifestTypes }, limit, signal });
    if (response.status !== 200) throw this.#refusal(response, version);
    const { bytes } = response;
    const promised = isDigest(version) ? version : response.headers["docker-content-digest"];
    const expected = typeof promised === "string" && isDigest(promised) ? promised : undefined;
    const digest = digestOf(bytes, expected === undefined ? "sha256" : algorithmOf(expected));
    if (expected !== undefined && digest !== expected) {
      const name = this.#reference.familiar;
      throw new SampanError(
        "invalid",
        `Cannot use manifest ${expected} of ${name}: the bytes that came have the digest ${digest}`,
      );
    }
    const [mediaType = ""] = (response.headers["content-type"] ?? "").split(";");
    return { bytes, digest, mediaType: mediaType.trim() };
  }

  /** Fetches and verifies a whole blob of the promised size, which must be at most `limit` bytes. */
  async document(digest: Digest, size: number, limit: number, signal?: AbortSignal): Promise<Buffer> {
    const what = `blob ${digest} of ${this.#reference.familiarName}`;
    if (size > limit)
      throw new SampanError("invalid", `Cannot fetch ${what}: ${size} bytes, at most ${limit} are read`);
    const response = await this.#send({ method: "GET", path: `blobs/${digest}`, headers: {}, limit, signal });
    if (response.status !== 200) throw failure(response, `fetch ${what}`);
    const { bytes } = response;
    if (bytes.byteLength === size && digestOf(bytes, algorithmOf(digest)) === digest) return bytes;
    throw new SampanError("invalid", `Cannot use ${what}: the bytes that came are not the promised ones`);
  }

  /** Starts to fetch a blob at `offset`, if the server can; the caller verifies the bytes. */
  async blob(digest: Digest, offset: number, signal?: AbortSignal): Promise<BlobPart> {
    const headers: Record<string, string> = offset > 0 ? { range: `bytes=${offset}-` } : {};
    const response = await this.#send({ method: "GET", path: `blobs/${digest}`, headers, signal });
    if (response.status === 200) return { offset: 0, body: response.body };
    if (response.status === 206) {
      const start = /^bytes (\d+)-/.exec(response.headers["content-range"] ?? "")?.[1];
      if (Number(start) === offset) return { offset, body: response.body };
      response.body.destroy();
      throw new SampanError(
        "unavailable",
        `Cannot fetch blob ${digest}: asked for byte ${offset}, got ${start ?? "no range"}`,
      );
    }
    const bytes = await readBounded(response, 1024 * 1024, "the registry's error").catch(() => Buffer.alloc(0));
    throw failure({ ...response, bytes }, `fetch blob ${digest} of ${this.#reference.familiarName}`);
  }

  /** The blob's size in bytes; undefined when the repository does not have it. */
  async blobSize(digest: Digest, signal?: AbortSignal): Promise<number | undefined> {
    const response = await this.#send({ method: "HEAD", path: `blobs/${digest}`, headers: {}, limit: 4096, signal });
    if (response.status === 404) return undefined;
    const size = Number(response.headers["content-length"]);
    if (response.status === 200 && Number.isSafeInteger(size)) return size;
    throw failure(response, `look for blob ${digest} of ${this.#reference.familiarName}`);
  }

  /** All tags, page by page. */
  async tags(signal?: AbortSignal): Promise<string[]> {
    const found: string[] = [];
    const limit = 4 * 1024 * 1024;
    for (let path: string | undefined = "tags/list"; path !== undefined; ) {
      const response: HttpResponse = await this.#send({ method: "GET", path, headers: {}, limit, signal });
      if (response.status !== 200) throw this.#refusal(response, "latest");
      found.push(...tagsIn(response.bytes, this.#reference.familiarName));
      if (found.length > maxTags) {
        throw new SampanError(
          "invalid",
          `Cannot list ${this.#reference.familiarName}: it has more than ${maxTags} tags`,
        );
      }
      const next = /<[^>]*\?([^>]*)>\s*;\s*rel="?next"?/.exec(String(response.headers.link ?? ""))?.[1];
      path = next === undefined ? undefined : `tags/list?${next}`;
    }
    return found;
  }

  /** Docker's texts, which people search for and clients match. */
  #refusal(response: HttpResponse, version: string): SampanError {
    const { familiarName } = this.#reference;
    const { code, text } = complaintOf(response);
    if (response.status === 401 || response.status === 403 || code === "DENIED" || code === "UNAUTHORIZED") {
      const why = "repository does not exist or may require 'docker login'";
      // As in dockerd this is "not found": a registry does not tell strangers whether a private repository exists.
      return new SampanError("not-found", `pull access denied for ${familiarName}, ${why}: ${text}`);
    }
    if (response.status === 404) {
      const name = isDigest(version) ? `${familiarName}@${version}` : `${familiarName}:${version}`;
      if (code === "NAME_UNKNOWN") return new SampanError("not-found", `repository ${familiarName} not found: ${text}`);
      const reason = code === "MANIFEST_UNKNOWN" ? text : "manifest unknown: manifest unknown";
      return new SampanError("not-found", `manifest for ${name} not found: ${reason}`);
    }
    return new SampanError(
      kindOfStatus(response.status),
      `Cannot fetch the manifest of ${familiarName}:${version}: ${text}`,
    );
  }
}

const maxTags = 100_000;
const tagList = z.object({ tags: z.array(z.string()).nullish() });

function tagsIn(bytes: Buffer, name: string): string[] {
  try {
    return tagList.parse(JSON.parse(bytes.toString("utf8"))).tags ?? [];
  } catch (cause) {
    throw new SampanError("invalid", `Cannot list ${name}: the registry's answer is no list of tags`, { cause });
  }
}

/** One Send after another until one has what was asked for: mirrors first, the registry itself last. */
export function firstOf(sends: readonly RepositorySend[]): RepositorySend {
  return async (request) => {
    // A mirror knows only the tags that it was asked for.
    const mirrors = request.path.startsWith("tags/") ? [] : sends.slice(0, -1);
    for (const send of mirrors) {
      const response = await send(request).catch((error) => {
        if (request.signal?.aborted) throw error;
        return undefined;
      });
      if (response !== undefined && response.status < 400) return response;
      if (request.limit === undefined) response?.body.destroy();
    }
    const last = sends.at(-1);
    if (last === undefined) throw new SampanError("internal", "Cannot send a request: no registry was given");
    return last(request);
  };
}

/** A Send for paths of one repository at one origin; `ns` tells a mirror which registry is meant, as containerd does. */
export function atRepository(
  send: Send,
  { url: base, insecure }: Origin,
  path: string,
  ns?: string | undefined,
): RepositorySend {
  return (request) => {
    const url = new URL(`/v2/${path}/${request.path}`, base);
    if (ns !== undefined) url.searchParams.set("ns", ns);
    return send({ ...request, url, insecure });
  };
}
