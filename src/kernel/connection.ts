import { connect, type Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { SampanError } from "../errors/index.ts";
import { replyHeader } from "./wire.ts";

/** One message of the helper. */
export interface Reply {
  readonly kind: number;
  readonly errno: number;
  readonly step: number;
  readonly payload: Buffer;
}

/**
 * A stream of replies over a Unix socket: from a worker that executes programs, or from a monitor.
 * Life: `openConnection` → writes, `next()` per expected reply → `close()`. When the other side ends, every waiting
 * and later `next()` gives undefined.
 */
export class Connection {
  readonly socket: Socket;
  #chunks: Buffer[] = [];
  #length = 0;
  /** Bytes that the reply at hand takes, as far as it is known: long ones are joined once. */
  #needed: number = replyHeader.bytes;
  #ended = false;
  readonly #arrived: Reply[] = [];
  readonly #waiting: ((reply: Reply | undefined) => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", () => this.#end());
    socket.on("close", () => this.#end());
    socket.on("end", () => this.#end());
  }

  /** Whether the other side has gone. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The next reply in order; undefined once the other side has gone. */
  next(): Promise<Reply | undefined> {
    const reply = this.#arrived.shift();
    if (reply || this.#ended) return Promise.resolve(reply);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  close(): void {
    this.socket.destroy();
    this.#end();
  }

  /** As `close`, when the other side has gone: what it held, it holds no more. It is waited for a second at most. */
  async finish(): Promise<void> {
    const enough = new AbortController();
    const late = setTimeout(1000, undefined, { signal: enough.signal }).catch(() => undefined);
    if (!this.#ended) this.socket.end();
    while ((await Promise.race([this.next(), late])) !== undefined);
    enough.abort();
    this.close();
  }

  #end(): void {
    this.#ended = true;
    for (const waiter of this.#waiting.splice(0)) waiter(undefined);
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    while (this.#length >= this.#needed) {
      const buffer = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
      this.#chunks = [buffer];
      const size = replyHeader.bytes + buffer.readUInt32LE(replyHeader.size);
      this.#needed = size;
      if (buffer.length < size) return;
      this.#deliver({
        kind: buffer.readUInt32LE(replyHeader.kind),
        errno: buffer.readInt32LE(replyHeader.errno),
        step: buffer.readUInt32LE(replyHeader.step),
        payload: buffer.subarray(replyHeader.bytes, size),
      });
      // Even an empty part would keep the whole chunk, for as long as a monitor is connected.
      this.#chunks = buffer.length === size ? [] : [buffer.subarray(size)];
      this.#length = buffer.length - size;
      this.#needed = replyHeader.bytes;
    }
  }

  #deliver(reply: Reply): void {
    const waiter = this.#waiting.shift();
    if (waiter) waiter(reply);
    else this.#arrived.push(reply);
  }
}

/** Connects to a Unix socket; a path that nobody listens at is `unavailable`. */
export function openSocket(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    const refuse = (cause: Error) =>
      reject(new SampanError("unavailable", `Cannot connect to ${path}: ${cause.message}`, { cause }));
    socket.once("error", refuse);
    socket.once("connect", () => {
      socket.off("error", refuse);
      resolve(socket);
    });
  });
}
