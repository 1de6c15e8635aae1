import { Readable } from "node:stream";
import type { ResponseHead } from "./head.ts";

/** Where a response's body comes from. */
export interface Source {
  /** There is room for more. */
  resume(): void;
  /** Nobody wants the rest. */
  abandon(): void;
}

/** A response: its head, and its body as a stream that takes no more than its reader. */
export class Response extends Readable {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly #source: Source;

  constructor(head: ResponseHead, source: Source) {
    super();
    this.status = head.status;
    this.headers = head.headers;
    this.#source = source;
  }

  override _read(): void {
    this.#source.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.readableEnded) this.#source.abandon();
    done(error);
  }
}
