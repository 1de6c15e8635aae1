import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import type { Readable } from "node:stream";
import { ApiError, connectionError, isAbsent } from "./api-error.ts";
import type { Hijacked } from "./hijack.ts";
import { jsonLines } from "./json-lines.ts";
import type { Query } from "./query.ts";
import { queryString } from "./query.ts";

// `import … from "node:http"` would evaluate every export, WebSocket and fetch among them: 30 ms of a 20 ms process.
const { Agent, request: httpRequest } = process.getBuiltinModule("node:http");

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
  /** Called once when no daemon is there; after it resolves the request is made again. */
  readonly start?: (() => Promise<void>) | undefined;
}

/** HTTP over the daemon's Unix socket; every failure is a SampanError. */
export class Transport {
  readonly socketPath: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  #start: (() => Promise<void>) | undefined;

  constructor(options: TransportOptions) {
    this.socketPath = options.socketPath;
    this.#start = options.start;
  }

  /** Sends a call and resolves with the head of a successful response; its body is the caller's to read. */
  async send(call: Call): Promise<IncomingMessage> {
    const response = await this.#connected(call, (options) => this.#exchange(call, options));
    return accept(response);
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
  hijack(call: Call): Promise<Hijacked> {
    const headers = { ...call.headers, Connection: "Upgrade", Upgrade: "tcp" };
    return this.#connected(call, (options) => this.#upgrade(call, { ...options, headers, agent: false }));
  }

  /** Closes idle connections; requests under way are not touched. */
  close(): void {
    this.#agent.destroy();
  }

  async #connected<T>(call: Call, exchange: (options: RequestOptions) => Promise<T>): Promise<T> {
    const options: RequestOptions = {
      socketPath: this.socketPath,
      // Else the agent asks whether the host is an IP address, with a regular expression that takes 5 ms to compile.
      ...{ servername: "" },
      agent: this.#agent,
      method: call.method,
      path: call.path + queryString(call.query),
      ...(call.signal ? { signal: call.signal } : {}),
    };
    try {
      return await exchange(options);
    } catch (error) {
      call.signal?.throwIfAborted();
      const start = this.#start;
      if (start === undefined || !isAbsent(error)) throw connectionError(this.socketPath, error);
      this.#start = undefined;
      await start();
      return this.#connected(call, exchange);
    }
  }

  #exchange(call: Call, options: RequestOptions): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const request = httpRequest(options);
      request.once("response", resolve);
      request.once("error", (error) => {
        // The daemon closed an idle connection at the very moment it was used again: that is no failure.
        if (request.reusedSocket && call.upload === undefined && isReset(error)) {
          resolve(this.#exchange(call, options));
        } else reject(error);
      });
      writeBody(request, call, reject);
    });
  }

  #upgrade(call: Call, options: RequestOptions): Promise<Hijacked> {
    return new Promise((resolve, reject) => {
      const request = httpRequest(options);
      request.once("upgrade", (response, socket, head) => {
        socket.removeAllListeners("error");
        if (head.length > 0) socket.unshift(head);
        const multiplexed = response.headers["content-type"]?.includes("multiplexed") ?? false;
        resolve({ socket: socket as Hijacked["socket"], multiplexed });
      });
      request.once("response", (response) => accept(response).then(() => reject(notUpgraded()), reject));
      request.once("error", reject);
      writeBody(request, call, reject);
    });
  }
}

function notUpgraded(): Error {
  return new ApiError(500, "the daemon did not open a stream for this request");
}

function isReset(error: Error): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ECONNRESET" || code === "EPIPE";
}

function writeBody(request: ClientRequest, call: Call, reject: (error: Error) => void): void {
  for (const [name, value] of Object.entries(call.headers ?? {})) request.setHeader(name, value);
  if (call.upload !== undefined) {
    call.upload.once("error", (error) => {
      request.destroy();
      reject(error);
    });
    call.upload.pipe(request);
    return;
  }
  if (call.body === undefined) {
    request.end();
    return;
  }
  const text = JSON.stringify(call.body);
  request.setHeader("Content-Type", "application/json");
  request.setHeader("Content-Length", Buffer.byteLength(text));
  request.end(text);
}

async function accept(response: IncomingMessage): Promise<IncomingMessage> {
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) return response;
  throw new ApiError(status, await readText(response));
}

/** The whole text of a response. */
export async function readText(response: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
