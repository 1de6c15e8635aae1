import { type Agent, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import type { RequestOptions } from "node:https";
import { SampanError } from "../errors/index.ts";
import { Agents } from "./agents.ts";
import { connectionError } from "./errors.ts";
import { readBounded } from "./limit.ts";
import { pour } from "./pour.ts";

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | Upload;
  /** Certificates are not checked; redirects to plain HTTP are followed. */
  readonly insecure: boolean;
  /** Read the whole body into `bytes`, and fail when it is longer than this. */
  readonly limit?: number;
  /** ms without a byte after which the connection counts as broken; 30 s when absent. */
  readonly idleTimeout?: number;
  readonly signal?: AbortSignal | undefined;
}

/** A body that is read while it is sent; a request that is made again opens it again. */
export interface Upload {
  /** Bytes. */
  readonly size: number;
  open(): AsyncIterable<Uint8Array>;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
  /** The body, unless the request had a `limit`. */
  readonly body: IncomingMessage;
  /** The body of a request with `limit`. */
  readonly bytes: Buffer;
}

/**
 * The one signature of everything that talks HTTP here. Authentication, redirects, retries and tracing are functions
 * from Send to Send. An answer of any status is a result; no answer is a SampanError.
 */
export type Send = (request: HttpRequest) => Promise<HttpResponse>;

/** Without a byte for this long (ms) a connection counts as broken, unless the request says otherwise. */
const usualIdleTimeout = 30_000;

/**
 * The innermost Send: one request over a kept-alive connection. `certificates` are directories with those of registries, see
 * `certificatesOf`. `close` drops idle connections.
 */
export function httpCore(certificates: readonly string[] = []): { send: Send; close(): void } {
  const agents = new Agents(certificates, usualIdleTimeout);
  return {
    send: async (request) => {
      const response = await exchange(request, await agents.for(request));
      if (request.limit === undefined) return response;
      // A HEAD's Content-Length is that of the body it does not have.
      const bytes =
        request.method === "HEAD"
          ? response.bytes
          : await readBounded(response, request.limit, `the answer of ${request.url.host}`);
      return { ...response, bytes };
    },
    close: () => agents.close(),
  };
}

async function exchange(wanted: HttpRequest, agent: Agent): Promise<HttpResponse> {
  if (wanted.signal?.aborted) throw cancelled(wanted);
  const open = wanted.url.protocol === "http:" ? request : (await import("node:https")).request;
  const { body: payload, idleTimeout = usualIdleTimeout } = wanted;
  const upload = typeof payload === "object" && "open" in payload ? payload : undefined;
  const length = upload === undefined ? {} : { "content-length": String(upload.size) };
  const options: RequestOptions = {
    method: wanted.method,
    headers: { "user-agent": "sampan", ...length, ...wanted.headers },
    agent,
    timeout: idleTimeout,
    ...(wanted.signal ? { signal: wanted.signal } : {}),
  };
  return new Promise((resolve, reject) => {
    const sent: ClientRequest = open(wanted.url, options, (body) => {
      // Whoever reads the body sees its errors; a body that nobody reads may fail in silence.
      body.on("error", () => undefined);
      if (wanted.method === "HEAD") body.resume();
      resolve({ status: body.statusCode ?? 0, headers: body.headers, url: wanted.url, body, bytes: Buffer.alloc(0) });
    });
    sent.on("timeout", () => sent.destroy(timedOut(idleTimeout)));
    sent.on("error", (cause) => {
      if (wanted.signal?.aborted) reject(cancelled(wanted));
      else reject(cause instanceof SampanError ? cause : connectionError(wanted.url, cause));
    });
    if (upload === undefined) sent.end(payload);
    else pour(upload.open(), sent);
  });
}

function timedOut(idleTimeout: number): Error {
  return Object.assign(new Error(`no byte for ${idleTimeout / 1000} s`), { code: "ETIMEDOUT" });
}

function cancelled({ url, signal }: HttpRequest): SampanError {
  return new SampanError("cancelled", `Request to ${url.host} was cancelled`, { cause: signal?.reason });
}

/** Frees the connection of an answer whose body is not wanted. */
export function drop(response: HttpResponse): void {
  const length = Number(response.headers["content-length"] ?? Number.POSITIVE_INFINITY);
  if (length <= 64 * 1024) response.body.resume();
  else response.body.destroy();
}
