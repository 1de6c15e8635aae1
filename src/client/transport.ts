import type { Readable } from "node:stream";
import { ApiError, connectionError, isAbsent } from "./api-error.ts";
import type { Hijacked } from "./hijack.ts";
import { Connection } from "./http/connection.ts";
import { requestHead } from "./http/head.ts";
import type { Response } from "./http/response.ts";
import { writeChunked } from "./http/upload.ts";
import { jsonLines } from "./json-lines.ts";
import type { Query } from "./query.ts";
import { queryString } from "./query.ts";

/** One request to the daemon. The path comes without version prefix: the daemon's latest is meant. */
export interface Call {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: object | undefined;
  /** Sent as it is; excludes `body`. */
  readonly upload?: Readable | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

export interface TransportOptions {
  readonly socketPath: string;
  /** Called when no daemon is there; after it resolves the request is made again, once. */
  readonly start?: (() => Promise<void>) | undefined;
}

/** A transport's connections that wait for another request, and the signal that ends what it does. */
interface Shared {
  readonly idle: Connection[];
  readonly signal?: AbortSignal | undefined;
}

type Answer = Response | Hijacked;

/**
 * HTTP over the daemon's Unix socket; every failure is a SampanError. Ours, because node:http takes 7 ms to load and to
 * warm up, of the 25 that a `sampan run` may take on top of Node itself; see docs/decisions/http-client.md.
 */
export class Transport {
  readonly socketPath: string;
  readonly #options: TransportOptions;
  readonly #idle: Connection[];
  readonly #signal: AbortSignal | undefined;

  constructor(options: TransportOptions, { idle, signal }: Shared = { idle: [] }) {
    this.socketPath = options.socketPath;
    this.#options = options;
    this.#idle = idle;
    this.#signal = signal;
  }

  /** The same transport for calls that end with a signal. */
  until(signal: AbortSignal): Transport {
    return new Transport(this.#options, { idle: this.#idle, signal });
  }

  /** Sends a call and resolves with a successful response; its body is the caller's to read. */
  async send(call: Call): Promise<Response> {
    const answer = await this.#connected(this.#withSignal(call));
    if ("socket" in answer) throw new ApiError(500, "the daemon opened a stream that was not asked for");
    return accept(answer);
  }

  /** The JSON of a response; `undefined` for an empty one. */
  async json<T>(call: Call): Promise<T> {
    const text = await readText(await this.send(call));
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  /** The JSON objects of a streaming response. */
  async lines<T>(call: Call): Promise<AsyncGenerator<T>> {
    return jsonLines<T>(await this.send(call));
  }

  /** Sends a call that turns the connection into a raw stream in both directions. */
  async hijack(call: Call): Promise<Hijacked> {
    const headers = { ...call.headers, Connection: "Upgrade", Upgrade: "tcp" };
    const answer = await this.#connected(this.#withSignal({ ...call, headers }));
    if ("socket" in answer) return answer;
    const response = await accept(answer);
    response.destroy();
    throw new ApiError(500, "the daemon did not open a stream for this request");
  }

  /** Closes idle connections; requests under way are not touched. */
  close(): void {
    for (const { socket } of this.#idle.splice(0)) socket.destroy();
  }

  #withSignal(call: Call): Call {
    if (this.#signal === undefined) return call;
    return { ...call, signal: call.signal === undefined ? this.#signal : AbortSignal.any([call.signal, this.#signal]) };
  }

  async #connected(call: Call, isSecond = false): Promise<Answer> {
    try {
      call.signal?.throwIfAborted();
      return await this.#exchange(call, this.#takeIdle());
    } catch (error) {
      call.signal?.throwIfAborted();
      const { start } = this.#options;
      // A daemon that is being killed may still take a connection, and resets it: asking another one changes nothing.
      const gone = isAbsent(error) || (isReset(error) && (call.method === "GET" || call.method === "HEAD"));
      if (start === undefined || isSecond || !gone) throw connectionError(this.socketPath, error);
      await start();
      return this.#connected(call, true);
    }
  }

  #takeIdle(): Connection | undefined {
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined || !connection.socket.destroyed) return connection;
    }
  }

  async #exchange(call: Call, idle: Connection | undefined): Promise<Answer> {
    try {
      return await this.#ask(call, idle ?? new Connection(this.socketPath));
    } catch (error) {
      // The daemon closed an idle connection at the very moment it was used again: that is no failure.
      if (idle === undefined || call.upload !== undefined || !isReset(error)) throw error;
      return this.#ask(call, new Connection(this.socketPath));
    }
  }

  #ask(call: Call, connection: Connection): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const abort = (): void => void connection.socket.destroy(call.signal?.reason);
    call.signal?.addEventListener("abort", abort);
    const settled = (): void => call.signal?.removeEventListener("abort", abort);
    let isSent = call.upload === undefined;
    connection.begin({
      method: call.method,
      respond: resolve,
      upgrade: (socket, { headers }) => {
        settled();
        resolve({ socket, multiplexed: headers["content-type"]?.includes("multiplexed") ?? false });
      },
      fail: reject,
      complete: (reusable) => {
        settled();
        // Of an upload that was answered early the rest is still to come.
        if (reusable && isSent) this.#idle.push(connection);
        else connection.socket.destroy();
      },
    });
    write(call, connection, () => {
      isSent = true;
    });
    return promise;
  }
}

/** `sent`: an upload is complete. */
function write(call: Call, { socket }: Connection, sent: () => void): void {
  const target = call.path + queryString(call.query);
  if (call.upload !== undefined) {
    socket.write(requestHead(call.method, target, { ...call.headers, "Transfer-Encoding": "chunked" }));
    const { upload } = call;
    // Not before there is somebody to read it: when no daemon is there, the stream is needed for the next attempt.
    if (socket.connecting) socket.once("connect", () => writeChunked(upload, socket, sent));
    else writeChunked(upload, socket, sent);
    return;
  }
  const body = call.body === undefined ? "" : JSON.stringify(call.body);
  const type = call.body === undefined ? {} : { "Content-Type": "application/json" };
  const length =
    call.method === "GET" || call.method === "HEAD" ? {} : { "Content-Length": String(Buffer.byteLength(body)) };
  socket.write(requestHead(call.method, target, { ...type, ...length, ...call.headers }) + body);
}

function isReset(error: unknown): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code === "ECONNRESET" || code === "EPIPE";
}

async function accept(response: Response): Promise<Response> {
  const { status } = response;
  if (status >= 200 && status < 300) return response;
  throw new ApiError(status, await readText(response));
}

/** The whole text of a response. */
export async function readText(response: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
