import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import { performServerHandshake } from "node:http2";
import type { Socket } from "node:net";
import { kindOf } from "../../errors/index.ts";
import { drained } from "../../kernel/drained.ts";
import { decode } from "./decode.ts";
import { encode } from "./encode.ts";
import { frame, messagesOf } from "./frames.ts";
import type { Fields, Message, Received, Sent } from "./schema.ts";
import { codes, RpcError, trailersOf } from "./status.ts";

/** Who calls, besides the request. */
export interface Call {
  readonly headers: IncomingHttpHeaders;
  /** Fires when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** A method that takes one request, and answers with one message or a stream of them. */
export interface Method {
  answer(request: Buffer, call: Call): AsyncIterable<Buffer>;
}

/** By path: "/package.Service/Method". */
export type Methods = ReadonlyMap<string, Method>;

export function unary<In extends Message<Fields>, Out extends Message<Fields>>(
  request: In,
  response: Out,
  answer: (request: Received<In>, call: Call) => Promise<Sent<Out>> | Sent<Out>,
): Method {
  return {
    async *answer(bytes, call) {
      yield encode(response, await answer(decode(request, bytes), call));
    },
  };
}

export function streaming<In extends Message<Fields>, Out extends Message<Fields>>(
  request: In,
  response: Out,
  answer: (request: Received<In>, call: Call) => AsyncIterable<Sent<Out>>,
): Method {
  return {
    async *answer(bytes, call) {
      for await (const one of answer(decode(request, bytes), call)) yield encode(response, one);
    },
  };
}

interface ServerOptions {
  readonly methods: Methods;
  /** The error of a method that is not there. */
  unknown(path: string): Error;
  /** Told of errors that are defects. */
  defect(error: unknown, path: string): void;
}

/**
 * Serves gRPC to the client on a connection that has left HTTP/1.1 (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md),
 * until it is closed.
 */
export function serveGrpc(socket: Socket, options: ServerOptions): ServerHttp2Session {
  const session = performServerHandshake(socket);
  session.on("error", () => session.destroy());
  session.on("stream", (stream, headers) => {
    stream.on("error", () => undefined);
    serve(stream, headers, options).catch((error) => {
      options.defect(error, String(headers[":path"]));
      stream.destroy();
    });
  });
  return session;
}

async function serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, options: ServerOptions): Promise<void> {
  const path = headers[":path"]?.toString() ?? "";
  const gone = new AbortController();
  stream.once("close", () => gone.abort());
  let trailers: Record<string, string> = { "grpc-status": String(codes.ok) };
  stream.once("wantTrailers", () => stream.sendTrailers(trailers));
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  try {
    const method = options.methods.get(path);
    if (method === undefined) throw options.unknown(path);
    const answers = method.answer(await requestOf(stream), { headers, signal: gone.signal });
    for await (const answer of answers) {
      if (gone.signal.aborted) return;
      if (!stream.write(frame(answer))) await drained(stream);
    }
  } catch (error) {
    if (kindOf(error) === "internal") options.defect(error, path);
    trailers = trailersOf(error);
  }
  // A stream of requests that is not read any more would keep the call open.
  stream.resume();
  stream.end();
}

async function requestOf(stream: ServerHttp2Stream): Promise<Buffer> {
  for await (const message of messagesOf(stream.iterator({ destroyOnReturn: false }))) return message;
  throw new RpcError(codes.invalidArgument, "Cannot answer a call: it has no request");
}
