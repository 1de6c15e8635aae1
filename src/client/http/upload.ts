import type { Socket } from "node:net";
import type { Readable } from "node:stream";

/**
 * Writes a stream as a chunked body, no faster than the socket takes it. Stops without an error when the socket goes away:
 * the answer, or the lack of it, tells. A stream that fails takes the socket with it, so that the daemon sees no whole body.
 */
export function writeChunked(body: Readable, socket: Socket): void {
  body.on("data", (chunk: Uint8Array) => {
    if (socket.destroyed || chunk.length === 0) return;
    socket.write(`${chunk.length.toString(16)}\r\n`);
    socket.write(chunk);
    if (!socket.write("\r\n")) body.pause();
  });
  socket.on("drain", () => body.resume());
  socket.once("close", () => body.destroy());
  body.once("end", () => {
    if (!socket.destroyed) socket.write("0\r\n\r\n");
  });
  body.once("error", (error) => socket.destroy(error));
}
