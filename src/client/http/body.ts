import { SampanError } from "../../errors/index.ts";
import type { ResponseHead } from "./head.ts";

/** Takes the body out of a connection's bytes. */
export interface BodyDecoder {
  /** Takes the next bytes; returns how many of them were the body's. */
  push(chunk: Uint8Array, emit: (payload: Uint8Array) => void): number;
  /** The whole body has come. */
  readonly done: boolean;
  /** The body may end with the connection: nothing else tells its end. */
  readonly untilClose: boolean;
}

/** The decoder of a response's body by RFC 9112, section 6.3. */
export function bodyDecoder(method: string, { status, headers }: ResponseHead): BodyDecoder {
  if (method === "HEAD" || status === 204 || status === 304) return new Sized(0);
  if (/\bchunked$/i.test(headers["transfer-encoding"] ?? "")) return new Chunked();
  const length = headers["content-length"];
  return length === undefined ? new Sized(Number.POSITIVE_INFINITY) : new Sized(Number(length));
}

class Sized implements BodyDecoder {
  #remaining: number;

  constructor(length: number) {
    this.#remaining = length;
  }

  push(chunk: Uint8Array, emit: (payload: Uint8Array) => void): number {
    const taken = Math.min(chunk.length, this.#remaining);
    this.#remaining -= taken;
    if (taken > 0) emit(chunk.subarray(0, taken));
    return taken;
  }

  get done(): boolean {
    return this.#remaining === 0;
  }

  get untilClose(): boolean {
    return this.#remaining === Number.POSITIVE_INFINITY;
  }
}

/** The longest line between chunks: a size in hexadecimal, or a trailer. */
const maxLine = 8192;

/** RFC 9112, section 7.1: chunks of a size line, so many bytes and a line end; a chunk of size 0 and trailers end it. */
class Chunked implements BodyDecoder {
  #state: "size" | "data" | "data end" | "trailer" | "done" = "size";
  #line = "";
  #remaining = 0;
  readonly untilClose = false;

  push(chunk: Uint8Array, emit: (payload: Uint8Array) => void): number {
    let at = 0;
    while (at < chunk.length && this.#state !== "done") {
      if (this.#state === "data") {
        const end = Math.min(chunk.length, at + this.#remaining);
        emit(chunk.subarray(at, end));
        this.#remaining -= end - at;
        at = end;
        if (this.#remaining === 0) this.#state = "data end";
      } else at = this.#readLine(chunk, at);
    }
    return at;
  }

  get done(): boolean {
    return this.#state === "done";
  }

  #readLine(chunk: Uint8Array, from: number): number {
    const end = chunk.indexOf(0x0a, from);
    this.#line += Buffer.from(chunk.subarray(from, end < 0 ? chunk.length : end)).toString("latin1");
    if (this.#line.length > maxLine) throw malformed();
    if (end < 0) return chunk.length;
    const line = this.#line.replace(/\r$/, "");
    this.#line = "";
    this.#lineEnded(line);
    return end + 1;
  }

  #lineEnded(line: string): void {
    if (this.#state === "data end") this.#state = "size";
    else if (this.#state === "trailer") this.#state = line === "" ? "done" : "trailer";
    else {
      const size = /^([0-9a-f]{1,12})\s*(?:;.*)?$/i.exec(line)?.[1];
      if (size === undefined) throw malformed();
      this.#remaining = Number.parseInt(size, 16);
      this.#state = this.#remaining === 0 ? "trailer" : "data";
    }
  }
}

function malformed(): SampanError {
  return new SampanError("internal", "Cannot read the daemon's answer: its chunks are malformed");
}
