import { SampanError } from "../errors/index.ts";

/** The streams of a multiplexed connection; 3 carries the daemon's own errors. */
export type StreamId = 0 | 1 | 2 | 3;

const headerLength = 8;

/**
 * Takes Docker's multiplexed stream apart: frames of `[stream, 0, 0, 0, length as big-endian u32]` and payload.
 * Payloads are handed on as they come, without waiting for the rest of their frame and without copies.
 */
export class FrameDecoder {
  readonly #emit: (stream: StreamId, payload: Uint8Array) => void;
  readonly #header = new Uint8Array(headerLength);
  #headerFilled = 0;
  #remaining = 0;
  #stream: StreamId = 1;

  constructor(emit: (stream: StreamId, payload: Uint8Array) => void) {
    this.#emit = emit;
  }

  /** Takes the next bytes of the connection, however they are cut. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#remaining === 0) {
        at = this.#fillHeader(chunk, at);
        continue;
      }
      const end = Math.min(chunk.length, at + this.#remaining);
      this.#remaining -= end - at;
      this.#emit(this.#stream, chunk.subarray(at, end));
      at = end;
    }
  }

  /** Whether the connection may end here: not in the middle of a frame. */
  get complete(): boolean {
    return this.#remaining === 0 && this.#headerFilled === 0;
  }

  #fillHeader(chunk: Uint8Array, from: number): number {
    const end = Math.min(chunk.length, from + headerLength - this.#headerFilled);
    this.#header.set(chunk.subarray(from, end), this.#headerFilled);
    this.#headerFilled += end - from;
    if (this.#headerFilled < headerLength) return end;
    this.#headerFilled = 0;
    const stream = this.#header[0] ?? 0;
    if (stream > 3) throw new SampanError("internal", `Cannot read the container's output: unknown stream ${stream}`);
    this.#stream = stream as StreamId;
    this.#remaining = new DataView(this.#header.buffer).getUint32(4);
    return end;
  }
}
