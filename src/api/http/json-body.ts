import type { IncomingHttpHeaders } from "node:http";
import { messageOf, SampanError } from "../../errors/index.ts";

/** Bytes. A request to create a container carries whole seccomp profiles and environments; nothing is ever this large. */
export const bodyLimit = 8 * 1024 * 1024;

/**
 * The JSON of a request's body; `undefined` when there is none. Every mistake is "invalid" and told as dockerd tells it:
 * a body that does not say it is JSON, broken JSON, more than one value, more than `bodyLimit`.
 */
export async function readJson(headers: IncomingHttpHeaders, body: AsyncIterable<Uint8Array>): Promise<unknown> {
  const empty = headers["transfer-encoding"] === undefined && Number(headers["content-length"] ?? 0) === 0;
  checkContentType(headers["content-type"], empty);
  if (empty) return undefined;
  if (Number(headers["content-length"] ?? 0) > bodyLimit) throw tooLarge();
  const text = await readText(body);
  if (text.trim() === "") throw new SampanError("invalid", "invalid JSON: got EOF while reading request body");
  try {
    return JSON.parse(text);
  } catch (cause) {
    const extra = /^Unexpected non-whitespace character after JSON/.test(messageOf(cause));
    const message = extra ? "unexpected content after JSON" : `invalid JSON: ${messageOf(cause)}`;
    throw new SampanError("invalid", message, { cause });
  }
}

function checkContentType(header: string | undefined, empty: boolean): void {
  if (header === undefined || header === "") {
    if (empty) return;
    throw new SampanError("invalid", "malformed Content-Type header (): mime: no media type");
  }
  const type = header.split(";", 1)[0]?.trim().toLowerCase();
  if (type === "application/json") return;
  throw new SampanError("invalid", `unsupported Content-Type header (${header}): must be 'application/json'`);
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > bodyLimit) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function tooLarge(): SampanError {
  return new SampanError("invalid", `Cannot read the request's body: it is larger than ${bodyLimit} bytes`);
}
