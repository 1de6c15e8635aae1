import type { Socket } from "node:net";
import type { Readable } from "node:stream";

/**
 * Writes a stream as a chunked body, no faster than the socket takes it. Stops without an error when the socket goes away:
 * the answer, or the lack of it, tells. A stream that fails takes the socket with it, so that the daemon sees no whole body.
 * `written`: all of it was, and the socket can carry another request.
 */
export function writeChunked(body: Readable, socket: Socket, written: () => void): void {
  const goOn = () => void body.resume();
  const giveUp = () => void body.destroy();
  body.on("data", (chunk: Uint8Array) => {
    if (socket.destroyed || chunk.length === 0) return;
    socket.write(`${chunk.length.toString(16)}\r\n`);
    socket.write(chunk);
    if (!socket.write("\r\n")) body.pause();
  });
  socket.on("drain", goOn);
  socket.once("close", giveUp);
  body.once("end", () => {
    socket.off("drain", goOn);
    socket.off("close", giveUp);
    if (socket.destroyed) return;
    socket.write("0\r\n\r\n");
    written();
  });
  body.once("error", (error) => socket.destroy(error));
}
