import { addAbortListener } from "node:events";
import type { Socket } from "node:net";
import { PassThrough, Readable, Writable } from "node:stream";
import type { Hijacked } from "../hijack.ts";
import { copyOutput } from "../hijack.ts";

/** What may be sent to a process: a text is sent as UTF-8. */
export type Input = string | Uint8Array | AsyncIterable<Uint8Array | string> | ReadableStream<Uint8Array>;

/** The output of a process that has ended. */
export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The streams of a process. Output that nobody reads holds the process up, as a pipe does, stderr as well as stdout: read
 * both, or `cancel()` what is not wanted.
 */
export interface Streams {
  /** Closing it is the end of file of the process's input. */
  readonly stdin: WritableStream<Uint8Array>;
  readonly stdout: ReadableStream<Uint8Array>;
  /** Empty for a process with a terminal. */
  readonly stderr: ReadableStream<Uint8Array>;
}

/** A hijacked connection as web streams. */
export function webStreams({ socket, multiplexed }: Hijacked, signal: AbortSignal | undefined): Streams {
  cutBy(socket, signal);
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  copyOutput(socket, { stdout, stderr }, multiplexed).then(
    () => {
      if (signal?.aborted) return fail(signal.reason);
      stdout.end();
      stderr.end();
    },
    (error) => fail(error),
  );
  const fail = (error: Error): void => {
    stdout.destroy(error);
    stderr.destroy(error);
  };
  for (const stream of [stdout, stderr]) stream.on("error", () => {}).on("close", () => goOn(socket));
  return {
    stdin: Writable.toWeb(inputOf(socket)) as WritableStream<Uint8Array>,
    stdout: Readable.toWeb(stdout) as ReadableStream<Uint8Array>,
    stderr: Readable.toWeb(stderr) as ReadableStream<Uint8Array>,
  };
}

/** What a reader that has left did not take any more keeps nobody waiting. */
function goOn(socket: Socket): void {
  if (!socket.destroyed) socket.resume();
}

/** The connection's one direction as a stream of its own: its end closes nothing but the input. */
function inputOf(socket: Socket): Writable {
  return new Writable({
    write: (chunk, encoding, done) => void socket.write(chunk, encoding, done),
    final: (done) => void socket.end(done),
  });
}

/** Sends the input and collects all output of a connection. */
export async function converse(
  { socket, multiplexed }: Hijacked,
  { input, signal }: { readonly input?: Input | undefined; readonly signal?: AbortSignal | undefined },
): Promise<Output> {
  cutBy(socket, signal);
  const collected = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
  const into = (chunks: Uint8Array[]): Writable =>
    new Writable({
      write: (chunk, _encoding, done) => {
        chunks.push(chunk);
        done();
      },
    });
  const outputs = { stdout: into(collected.stdout), stderr: into(collected.stderr) };
  const copied = copyOutput(socket, outputs, multiplexed);
  // A process that does not want its input is none that failed.
  if (input !== undefined) void send(input, socket).catch((error) => socket.destroy(error));
  await copied;
  signal?.throwIfAborted();
  return { stdout: text(collected.stdout), stderr: text(collected.stderr) };
}

async function send(input: Input, socket: Socket): Promise<void> {
  const chunks = typeof input === "string" || input instanceof Uint8Array ? [input] : input;
  for await (const chunk of chunks) {
    if (socket.destroyed) return;
    if (!socket.write(chunk)) await new Promise<void>((resolve) => onceEither(socket, resolve));
  }
  socket.end();
}

function onceEither(socket: Socket, done: () => void): void {
  socket.once("drain", done);
  socket.once("close", done);
}

/** Ends a connection when a signal fires. */
function cutBy(socket: Socket, signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  const listening = addAbortListener(signal, () => socket.destroy(signal.reason));
  socket.once("close", () => listening[Symbol.dispose]());
}

function text(chunks: readonly Uint8Array[]): string {
  return Buffer.concat(chunks).toString("utf8");
}
