import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from "node:http2";
import type { Socket } from "node:net";
import { cancelled } from "../../errors/cancel.ts";
import { SampanError } from "../../errors/index.ts";
import { drained } from "../../kernel/drained.ts";
import { decode } from "./decode.ts";
import { encode } from "./encode.ts";
import { frame, messagesOf } from "./frames.ts";
import type { Fields, Message, Received, Sent } from "./schema.ts";
import { codes, percentDecoded, RpcError } from "./status.ts";

/** Bytes that the other side may send before it is told that they were read: a stream's share, and the connection's. */
const window = { stream: 1024 * 1024, connection: 4 * 1024 * 1024 } as const;

/** What goes with a call besides its messages; a name may have several values. */
export type Metadata = Readonly<Record<string, string | readonly string[]>>;

/** A call in both directions. It ends when the other side has ended it, or is disposed of. */
export interface Exchange<Out extends Message<Fields>, In extends Message<Fields>> extends Disposable {
  /** Resolves when more may be sent. */
  send(message: Sent<Out>): Promise<void>;
  /** Nothing more will be sent. */
  end(): void;
  /** What the other side sends; throws `RpcError` when it ends the call with an error. To be read once. */
  readonly messages: AsyncGenerator<Received<In>>;
}

/** Calls the gRPC server at the other end of a connection. */
export class GrpcClient {
  readonly #session: ClientHttp2Session;
  /** Fires when the connection has ended. */
  readonly ended: AbortSignal;

  constructor(socket: Socket) {
    const ended = new AbortController();
    this.ended = ended.signal;
    this.#session = connect("http://localhost", {
      createConnection: () => socket,
      settings: { initialWindowSize: window.stream, enablePush: false },
    });
    this.#session.on("error", () => this.#session.destroy());
    this.#session.once("close", () => ended.abort());
    this.#session.once("connect", () => this.#session.setLocalWindowSize(window.connection));
  }

  /** One request, one answer. */
  async call<Out extends Message<Fields>, In extends Message<Fields>>(
    path: string,
    { request, response }: { readonly request: Out; readonly response: In },
    message: Sent<Out>,
    signal: AbortSignal,
    metadata: Metadata = {},
  ): Promise<Received<In>> {
    using exchange = this.open(path, { request, response }, metadata, signal);
    await exchange.send(message);
    exchange.end();
    let answer: Received<In> | undefined;
    for await (const one of exchange.messages) answer ??= one;
    if (answer === undefined) throw new RpcError(codes.internal, `Cannot call ${path}: the client did not answer`);
    return answer;
  }

  /** A call that lasts. */
  open<Out extends Message<Fields>, In extends Message<Fields>>(
    path: string,
    { request, response }: { readonly request: Out; readonly response: In },
    metadata: Metadata,
    signal: AbortSignal,
  ): Exchange<Out, In> {
    if (this.#session.destroyed || this.#session.closed) throw gone(path);
    const stream = this.#session.request(
      {
        ...metadata,
        ":method": "POST",
        ":path": path,
        "content-type": "application/grpc",
        te: "trailers",
      },
      { signal },
    );
    stream.on("error", () => undefined);
    let last: IncomingHttpHeaders = {};
    const keep = (headers: IncomingHttpHeaders) => {
      last = { ...last, ...headers };
    };
    stream.on("response", keep);
    stream.on("trailers", keep);
    return {
      send: (message) => written(stream, frame(encode(request, message))),
      end: () => stream.end(),
      messages: received(stream, { path, response, signal, last: () => last }),
      [Symbol.dispose]: () => void stream.destroy(),
    };
  }

  close(): void {
    this.#session.destroy();
  }
}

async function written(stream: ClientHttp2Stream, bytes: Buffer): Promise<void> {
  if (!stream.destroyed && !stream.write(bytes)) await drained(stream);
}

interface Receiving<In> {
  readonly path: string;
  readonly response: In;
  readonly signal: AbortSignal;
  /** Headers and trailers that have come. */
  last(): IncomingHttpHeaders;
}

async function* received<In extends Message<Fields>>(
  stream: ClientHttp2Stream,
  { path, response, signal, last }: Receiving<In>,
): AsyncGenerator<Received<In>> {
  try {
    for await (const message of messagesOf(stream)) yield decode(response, message);
  } catch (error) {
    if (signal.aborted) throw cancelled(signal);
    if (error instanceof SampanError) throw error;
    throw gone(path, error);
  }
  const { "grpc-status": status, "grpc-message": text } = last();
  if (status === "0") return;
  if (status === undefined) throw gone(path);
  throw new RpcError(Number(status), percentDecoded(String(text ?? `status ${String(status)}`)));
}

function gone(path: string, cause?: unknown): SampanError {
  return new SampanError("unavailable", `Cannot call ${path} of the build's client: it has left`, { cause });
}
