import { createServer, type RequestListener, type Server } from "node:http";
import type { Duplex } from "node:stream";
import { errorJson } from "./error-body.ts";
import { type Hijack, interceptHijacks } from "./hijack.ts";
import { ApiMessage } from "./message.ts";

/** Bytes. X-Registry-Auth of some clouds is larger than Node's default of 16 KiB. */
const maxHeaderSize = 256 * 1024;

/**
 * An HTTP server as the Docker Engine API wants it: any header, uploads that take as long as they take, connections
 * whose client has closed its half, and requests that turn their connection into a raw stream.
 */
export function createApiServer(listener: RequestListener<typeof ApiMessage>, hijack: Hijack): Server {
  const server = createServer(
    {
      IncomingMessage: ApiMessage,
      maxHeaderSize,
      requestTimeout: 0,
      headersTimeout: 60_000,
      keepAliveTimeout: 300_000,
      connectionsCheckingInterval: 60_000,
    },
    listener,
  );
  // Undocumented in the types only: whoever sends a request and closes his half of the connection is answered.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on("clientError", refuseMalformed);
  interceptHijacks(server, hijack);
  return server;
}

/** What cannot be read as HTTP gets an answer, too, where there is still somebody to give it to. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const status = error.code === "HPE_HEADER_OVERFLOW" ? "431 Request Header Fields Too Large" : "400 Bad Request";
  const body = errorJson(`malformed HTTP request: ${error.message}`);
  const headers = `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close`;
  socket.end(`HTTP/1.1 ${status}\r\n${headers}\r\n\r\n${body}`);
}
