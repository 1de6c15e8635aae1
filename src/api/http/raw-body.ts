import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import { SampanError } from "../../errors/index.ts";
import { bodyLimit } from "./json-body.ts";

/** A request's body, and what has come behind it already. */
export interface RawBody {
  readonly body: Buffer;
  readonly rest: Buffer;
}

/** Reads the body of a request whose connection Node's parser has let go of. `head` is what has been read already. */
export async function readRawBody(headers: IncomingHttpHeaders, socket: Socket, head: Buffer): Promise<RawBody> {
  const chunked = /\bchunked\b/i.test(headers["transfer-encoding"] ?? "");
  const length = Number(headers["content-length"] ?? 0);
  if (length > bodyLimit) throw tooLarge();
  if (/^100-continue$/i.test(headers.expect ?? "")) socket.write("HTTP/1.1 100 Continue\r\n\r\n");
  let bytes = head;
  for (;;) {
    const found = chunked ? decodeChunked(bytes) : split(bytes, length);
    if (found !== undefined) return found;
    if (bytes.length > bodyLimit) throw tooLarge();
    bytes = Buffer.concat([bytes, await nextChunk(socket)]);
  }
}

function split(bytes: Buffer, length: number): RawBody | undefined {
  if (bytes.length < length) return undefined;
  return { body: bytes.subarray(0, length), rest: bytes.subarray(length) };
}

/** A body in chunks (RFC 9112, 7.1) once its last chunk is there. */
function decodeChunked(bytes: Buffer): RawBody | undefined {
  const payloads: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const size = chunkSize(bytes.toString("latin1", at, lineEnd));
    const start = lineEnd + 2;
    if (size === 0) return endOfChunks(bytes, start, payloads);
    if (bytes.length < start + size + 2) return undefined;
    payloads.push(bytes.subarray(start, start + size));
    at = start + size + 2;
  }
}

/** Trailers are skipped; an empty line ends the body. */
function endOfChunks(bytes: Buffer, start: number, payloads: Buffer[]): RawBody | undefined {
  let at = start;
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    if (lineEnd === at) return { body: Buffer.concat(payloads), rest: bytes.subarray(at + 2) };
    at = lineEnd + 2;
  }
}

function chunkSize(line: string): number {
  const digits = line.split(";", 1)[0]?.trim() ?? "";
  if (!/^[0-9a-f]{1,8}$/i.test(digits)) throw new SampanError("invalid", "malformed chunked encoding");
  const size = Number.parseInt(digits, 16);
  if (size > bodyLimit) throw tooLarge();
  return size;
}

/** The next bytes of a paused socket. */
function nextChunk(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void): void => {
      socket.off("readable", look);
      socket.off("end", ended);
      socket.off("close", ended);
      settle();
    };
    const look = (): void => {
      const chunk: Buffer | null = socket.read();
      if (chunk !== null) finish(() => resolve(chunk));
    };
    const ended = (): void =>
      finish(() => reject(new SampanError("invalid", "invalid JSON: got EOF while reading request body")));
    socket.on("readable", look);
    socket.once("end", ended);
    socket.once("close", ended);
    look();
  });
}

function tooLarge(): SampanError {
  return new SampanError("invalid", `Cannot read the request's body: it is larger than ${bodyLimit} bytes`);
}
