import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { SampanError } from "../../errors/index.ts";
import { percentDecoded } from "../urls.ts";
import type { Asked, Origin, ServedDocument } from "./origin.ts";
import { accepts, parseRange, parseRegistryPath, type RegistryRequest } from "./request.ts";

/** Headers that every answer has; docker looks for the first before it believes in a registry. */
const common = { "Docker-Distribution-Api-Version": "registry/2.0", "X-Content-Type-Options": "nosniff" };
/** Names in one page of a list, unless the client wants fewer. */
const pageSize = 1000;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly origin: Origin;
  readonly signal: AbortSignal;
}

/** Answers a request of the distribution API, of which only reading is served. */
export async function answerRegistryRequest(
  origin: Origin,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  for (const [name, value] of Object.entries(common)) response.setHeader(name, value);
  const url = URL.parse(request.url ?? "/", "http://registry");
  const wanted = url === null ? undefined : parseRegistryPath(percentDecoded(url.pathname));
  try {
    if (request.method !== "GET" && request.method !== "HEAD") {
      refuse(response, { status: 405, code: "UNSUPPORTED", message: "this registry is read-only" });
    } else if (url === null || wanted === undefined) {
      refuse(response, { status: 404, code: "NAME_UNKNOWN", message: "no such path" });
    } else await answer({ request, response, url, origin, signal: gone.signal }, wanted);
  } catch (error) {
    if (response.headersSent || gone.signal.aborted) response.destroy();
    else refuse(response, failureOf(error));
  }
}

async function answer(exchange: Exchange, wanted: RegistryRequest): Promise<void> {
  const { response, origin, url, signal } = exchange;
  if (wanted.kind === "base") return json(exchange, {});
  if (wanted.kind === "catalog") return page(exchange, origin.repositories(), (repositories) => ({ repositories }));
  const { repository } = wanted;
  const asked: Asked = { repository, ns: url.searchParams.get("ns") ?? undefined, signal };
  if (wanted.kind === "tags") {
    const tags = await origin.tags(asked);
    if (tags !== undefined) return page(exchange, tags, (some) => ({ name: repository, tags: some }));
    const message = `repository name not known to registry: ${repository}`;
    return refuse(response, { status: 404, code: "NAME_UNKNOWN", message });
  }
  if (wanted.kind === "manifest") return manifest(exchange, await origin.documents(asked, wanted.tag));
  if (wanted.kind === "document") {
    const found = await origin.document(asked, wanted.digest);
    return manifest(exchange, found === undefined ? [] : [found], true);
  }
  if (wanted.kind === "blob") return await blob(exchange, asked, wanted.digest);
  // What refers to an image is not kept here; the specification's answer to that.
  const type = "application/vnd.oci.image.index.v1+json";
  json(exchange, { schemaVersion: 2, mediaType: type, manifests: [] }, type);
}

/** The first document that the client takes; by digest there is only the one. */
function manifest({ request, response }: Exchange, documents: readonly ServedDocument[], exact = false): void {
  const accept = request.headers.accept;
  const chosen = documents.find(({ mediaType }) => exact || accepts(accept, mediaType));
  if (chosen === undefined) {
    const have = documents.map(({ mediaType }) => mediaType).join(" and ");
    const message = have === "" ? "manifest unknown" : `the client accepts none of what is here: ${have}`;
    refuse(response, { status: 404, code: "MANIFEST_UNKNOWN", message });
    return;
  }
  const { digest, mediaType, bytes } = chosen;
  const headers = { "Docker-Content-Digest": digest, ETag: `"${digest}"`, "Content-Type": mediaType };
  if (request.headers["if-none-match"] === `"${digest}"`) {
    response.writeHead(304, headers).end();
    return;
  }
  response.writeHead(200, { ...headers, "Content-Length": bytes.length });
  response.end(request.method === "HEAD" ? undefined : bytes);
}

async function blob({ request, response, origin, signal }: Exchange, asked: Asked, digest: string): Promise<void> {
  const found = await origin.blob(asked, digest as Parameters<Origin["blob"]>[1]);
  if (found === undefined) {
    return refuse(response, { status: 404, code: "BLOB_UNKNOWN", message: "blob unknown to registry" });
  }
  const { size } = found;
  const headers = {
    ...{ "Docker-Content-Digest": digest, ETag: `"${digest}"`, "Accept-Ranges": "bytes" },
    ...{ "Content-Type": "application/octet-stream", "Cache-Control": "max-age=31536000" },
  };
  const range = request.method === "HEAD" ? undefined : parseRange(request.headers.range, size);
  if (range === "unsatisfiable") {
    response.setHeader("Content-Range", `bytes */${size}`);
    return refuse(response, { status: 416, code: "RANGE_INVALID", message: "range not satisfiable" });
  }
  const { first, last } = range ?? { first: 0, last: size - 1 };
  const ranged = range === undefined ? {} : { "Content-Range": `bytes ${first}-${last}/${size}` };
  response.writeHead(range === undefined ? 200 : 206, { ...headers, ...ranged, "Content-Length": last - first + 1 });
  if (request.method === "HEAD" || size === 0) response.end();
  else await pipeline(Readable.from(found.read(first, last, signal)), response);
}

/** A part of a list: `n` names behind `last`, and a link to the rest. */
function page({ request, response, url }: Exchange, all: readonly string[], body: (some: string[]) => object): void {
  const last = url.searchParams.get("last");
  const n = Number(url.searchParams.get("n") ?? pageSize);
  if (!Number.isInteger(n) || n < 0) {
    refuse(response, {
      status: 400,
      code: "PAGINATION_NUMBER_INVALID",
      message: "n must be a number, 0 or more",
    });
    return;
  }
  const rest = last === null ? all : all.filter((name) => name > last);
  const some = rest.slice(0, n);
  if (some.length < rest.length && some.length > 0) {
    const query = new URLSearchParams({ last: some.at(-1) ?? "", n: String(n) });
    response.setHeader("Link", `<${url.pathname}?${query}>; rel="next"`);
  }
  json({ request, response }, body(some));
}

function json(
  { request, response }: Pick<Exchange, "request" | "response">,
  value: object,
  type = "application/json",
): void {
  const text = JSON.stringify(value);
  response.writeHead(200, { "Content-Type": type, "Content-Length": Buffer.byteLength(text) });
  response.end(request.method === "HEAD" ? undefined : text);
}

interface Refusal {
  readonly status: number;
  /** Of the specification's error codes. */
  readonly code: string;
  readonly message: string;
}

function refuse(response: ServerResponse, { status, code, message }: Refusal): void {
  const text = JSON.stringify({ errors: [{ code, message }] });
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) });
  response.end(text);
}

function failureOf(error: unknown): Refusal {
  if (!(error instanceof SampanError)) return { status: 500, code: "UNKNOWN", message: "internal error" };
  const { kind, message } = error;
  if (kind === "not-found") return { status: 404, code: "MANIFEST_UNKNOWN", message };
  if (kind === "denied") return { status: 403, code: "DENIED", message };
  return { status: kind === "unavailable" ? 502 : error.status, code: "UNKNOWN", message };
}
