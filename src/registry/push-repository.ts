import { SampanError } from "../errors/index.ts";
import { type Digest, digestOf } from "../storage/digest.ts";
import { complaintOf, refusal } from "./failure.ts";
import type { HttpRequest, HttpResponse, Send, Upload } from "./http.ts";
import { retryAfter } from "./retry.ts";
import type { Reference } from "./types.ts";

/** An upload that a registry has begun; only its last answer says where to go on. */
export interface UploadSession {
  readonly url: URL;
  /** Bytes that the registry has. */
  readonly offset: number;
}

export interface PushConnection {
  readonly base: URL;
  readonly insecure: boolean;
  /** Repeats what may heal. */
  readonly send: Send;
  /** Tries once: where the caller has to look first how far the last try came. */
  readonly once: Send;
}

/** A registry may take minutes to move what it was sent to where it keeps it. */
const commitTimeout = 600_000;
const lostUpload: ReadonlySet<string> = new Set(["BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID", "RANGE_INVALID"]);
const errorLimit = 1024 * 1024;

/**
 * The push side of the distribution API (OCI distribution-spec 1.1, "Push") for one repository:
 *
 *     begin → append, append, … → finish        a blob; "mounted" at once where the registry takes it from a neighbour
 *     putManifest                               when all its blobs are there
 */
export class PushRepository {
  readonly reference: Reference;
  readonly #connection: PushConnection;

  constructor(reference: Reference, connection: PushConnection) {
    this.reference = reference;
    this.#connection = connection;
  }

  /** Whether the registry has the blob in this repository. */
  async hasBlob(digest: Digest, signal?: AbortSignal): Promise<boolean> {
    return await this.#has(`blobs/${digest}`, signal);
  }

  /** Begins an upload; "mounted" when the registry could take the blob from the repository `from` instead. */
  async begin(digest: Digest, from: string | undefined, signal?: AbortSignal): Promise<UploadSession | "mounted"> {
    const query = from === undefined ? "" : `?${new URLSearchParams({ mount: digest, from })}`;
    const request = { method: "POST", url: this.#url(`blobs/uploads/${query}`), signal } as const;
    const response = await this.#request(request);
    if (response.status === 201 && from !== undefined) return "mounted";
    if (response.status === 202) return this.#session(response, 0);
    throw this.#refused(response, `Cannot push blob ${digest} to ${this.reference.familiarName}`);
  }

  /** Sends bytes from the session's offset on. Tried once: after an error `status` tells how far it came. */
  async append(session: UploadSession, body: Upload, signal?: AbortSignal): Promise<UploadSession> {
    const { url, offset } = session;
    const range = offset === 0 ? {} : { "content-range": `${offset}-${offset + body.size - 1}` };
    const headers = { "content-type": "application/octet-stream", ...range };
    const response = await this.#request({ method: "PATCH", url, headers, body, signal }, this.#connection.once);
    if (response.status === 202 || response.status === 204) return this.#session(response, offset + body.size);
    throw new AppendRefused(this.#refused(response, this.#doing("Cannot push to")), retryAfter(response, Date.now()));
  }

  /** How far an upload came; undefined when the registry has given it up. */
  async status(session: UploadSession, signal?: AbortSignal): Promise<UploadSession | undefined> {
    const response = await this.#request({ method: "GET", url: session.url, signal });
    if (response.status !== 204 && response.status !== 202) return undefined;
    return this.#session(response, 0);
  }

  /** Ends an upload: the registry verifies the digest. */
  async finish({ url }: UploadSession, digest: Digest, signal?: AbortSignal): Promise<void> {
    const target = new URL(`${url.href}${url.search === "" ? "?" : "&"}digest=${encodeURIComponent(digest)}`);
    const headers = { "content-type": "application/octet-stream", "content-length": "0" };
    const response = await this.#request({ method: "PUT", url: target, headers, idleTimeout: commitTimeout, signal });
    if (response.status === 201 || response.status === 204) return;
    throw this.#refused(response, `Cannot push blob ${digest} to ${this.reference.familiarName}`);
  }

  /** Stores a manifest or index under a tag or its digest. */
  async putManifest(
    version: string,
    { bytes, mediaType }: { readonly bytes: Uint8Array; readonly mediaType: string },
    signal?: AbortSignal,
  ): Promise<void> {
    const url = this.#url(`manifests/${version}`);
    const headers = { "content-type": mediaType };
    const response = await this.#request({
      method: "PUT",
      url,
      headers,
      body: bytes,
      idleTimeout: commitTimeout,
      signal,
    });
    if (response.status < 200 || response.status > 299)
      throw this.#refused(response, this.#doing("Cannot push the manifest of", version));
    const got = response.headers["docker-content-digest"];
    const digest = digestOf(bytes);
    if (typeof got !== "string" || !got.startsWith("sha256:") || got === digest) return;
    throw new SampanError(
      "invalid",
      `${this.#doing("Cannot push the manifest of", version)}: it became ${got} there, not ${digest}`,
    );
  }

  /** Whether the registry has a manifest under a tag or digest. */
  async hasManifest(digest: Digest, mediaType: string, signal?: AbortSignal): Promise<boolean> {
    return await this.#has(`manifests/${digest}`, signal, { accept: mediaType });
  }

  async #has(path: string, signal: AbortSignal | undefined, headers: Record<string, string> = {}): Promise<boolean> {
    const response = await this.#request({ method: "HEAD", url: this.#url(path), headers, signal });
    if (response.status === 200) return true;
    if (response.status === 404) return false;
    throw this.#refused(response, this.#doing("Cannot push to"));
  }

  async #request(
    request: Pick<HttpRequest, "method" | "url" | "body" | "idleTimeout" | "signal"> & {
      headers?: Record<string, string>;
    },
    send = this.#connection.send,
  ): Promise<HttpResponse> {
    return await send({ headers: {}, ...request, insecure: this.#connection.insecure, limit: errorLimit });
  }

  #url(path: string): URL {
    return new URL(`/v2/${this.reference.path}/${path}`, this.#connection.base);
  }

  #session({ headers, url }: HttpResponse, sent: number): UploadSession {
    const next = URL.parse(headers.location ?? url.href, url);
    if (next === null || !["http:", "https:"].includes(next.protocol)) {
      throw new SampanError("invalid", `Cannot push to ${url.host}: it wants the blob sent to no HTTP address`);
    }
    if (next.protocol === "http:" && url.protocol === "https:" && !this.#connection.insecure) {
      const why = `it wants the blob sent to ${next.origin}, without TLS; list the registry as insecure to allow that`;
      throw new SampanError("denied", `Cannot push to ${url.host}: ${why}`);
    }
    // "0-99" says a hundred bytes; nothing at all is "0-0" with some, and missing with others.
    const last = /^(?:bytes=)?0-(\d+)$/.exec(typeof headers.range === "string" ? headers.range : "")?.[1];
    const offset = last === undefined || last === "0" ? sent : Number(last) + 1;
    return { url: next, offset };
  }

  #doing(what: string, version?: string): string {
    return `${what} ${this.reference.familiarName}${version === undefined ? "" : `:${version}`}`;
  }

  /** Docker's texts, which people search for and clients match. */
  #refused(response: HttpResponse, doing: string): SampanError {
    const { code, text } = complaintOf(response);
    const { status } = response;
    if (status === 401 || status === 403 || code === "DENIED" || code === "UNAUTHORIZED") {
      const why = "repository does not exist or may require authorization ('docker login')";
      return new SampanError("denied", `push access denied for ${this.reference.familiarName}, ${why}: ${text}`);
    }
    // The registry has lost the upload, or has more or less of it than we think: a new one may go through.
    if (lostUpload.has(code) || status === 416) return new SampanError("unavailable", `${doing}: ${text}`);
    return refusal(response, doing);
  }
}

/** Bytes that were not taken, and after how many ms the registry wants them sent again, if it said so. */
export class AppendRefused extends SampanError {
  readonly delay: number | undefined;

  constructor({ kind, message }: SampanError, delay: number | undefined) {
    super(kind, message);
    this.delay = delay;
  }
}
