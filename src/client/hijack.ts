import type { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import type { StreamId } from "./frames.ts";
import { FrameDecoder } from "./frames.ts";

/** A connection that has left HTTP: input one way, output the other. */
export interface Hijacked {
  readonly socket: Socket;
  /** Output comes in frames that tell stdout from stderr; otherwise it is a terminal's raw bytes. */
  readonly multiplexed: boolean;
}

/** Where the output of a container goes; a stream that is left out is dropped. */
export interface Outputs {
  readonly stdout?: Writable | undefined;
  readonly stderr?: Writable | undefined;
}

/**
 * Copies output until the daemon ends it, no faster than the slower of the two destinations takes it.
 * @param multiplexed whether the source is framed
 */
export function copyOutput(source: Readable, outputs: Outputs, multiplexed: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const write = (destination: Writable | undefined, payload: Uint8Array): void => {
      if (destination === undefined || destination.destroyed || destination.write(payload)) return;
      if (source.isPaused()) return;
      source.pause();
      const resume = (): void => {
        for (const event of ["drain", "close"]) destination.off(event, resume);
        source.resume();
      };
      for (const event of ["drain", "close"]) destination.on(event, resume);
    };
    const decoder = new FrameDecoder((stream: StreamId, payload) =>
      write(stream === 2 || stream === 3 ? outputs.stderr : outputs.stdout, payload),
    );
    source.on("data", (chunk: Uint8Array) => {
      try {
        if (multiplexed) decoder.push(chunk);
        else write(outputs.stdout, chunk);
      } catch (error) {
        source.destroy();
        reject(error);
      }
    });
    source.once("end", resolve);
    source.once("close", resolve);
    source.once("error", reject);
  });
}

/** Sends input until its end, which closes only our direction: the container sees end of file, its output goes on. */
export function copyInput(input: Readable, socket: Socket): void {
  input.on("error", () => socket.end());
  socket.on("error", () => input.unpipe(socket));
  socket.once("close", () => {
    input.unpipe(socket);
    input.pause();
  });
  input.pipe(socket);
}
