import type { ApiReply, ApiRequest } from "./fastify.ts";
import { readJson } from "./json-body.ts";

/** The parameters of a route's path, decoded. */
export function pathOf(request: ApiRequest): Readonly<Record<string, string>> {
  return request.params as Record<string, string>;
}

export function queryOf(request: ApiRequest): URLSearchParams {
  return request.query as URLSearchParams;
}

/** The JSON that was sent; `undefined` without a body. The connection stays usable when it is refused. */
export function jsonOf(request: ApiRequest): Promise<unknown> {
  return readJson(request.headers, request.raw.iterator({ destroyOnReturn: false }));
}

/** Answers JSON, past fastify's own serialisation: what is sent is what Docker sends, to the header. */
export function sendJson(reply: ApiReply, value: unknown, status = 200): void {
  sendText(reply, status, "application/json", `${JSON.stringify(value)}\n`);
}

/** Answers text of a given type. */
export function sendText(reply: ApiReply, status: number, type: string, text: string): void {
  reply.hijack();
  reply.raw.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(text) });
  reply.raw.end(text);
}

/** Answers without a body: 204, 304, or 200 with nothing to say. */
export function sendEmpty(reply: ApiReply, status = 204): void {
  reply.hijack();
  reply.raw.writeHead(status, status === 204 || status === 304 ? {} : { "Content-Length": 0 });
  reply.raw.end();
}
