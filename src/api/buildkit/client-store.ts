import { Readable } from "node:stream";
import type { LentStore } from "../../build/types.ts";
import { SampanError } from "../../errors/index.ts";
import type { Blob } from "../../images/download.ts";
import type { Digest } from "../../storage/digest.ts";
import type { Exchange } from "../grpc/client.ts";
import type { Sent } from "../grpc/schema.ts";
import { codes, RpcError } from "../grpc/status.ts";
import * as m from "./messages/content.ts";
import type { Session } from "./sessions.ts";

const service = "/containerd.services.content.v1.Content";

/** Bytes of a message: what gRPC servers take is 4 MiB. */
const pieceSize = 1024 * 1024;

/** A store for blobs that a build's client has on its machine: a directory that it has opened as an OCI layout. */
export class ClientStore implements LentStore {
  readonly #session: Session;
  readonly #metadata: Readonly<Record<string, string>>;

  /** `id`: what the client calls it. */
  constructor(session: Session, id: string) {
    this.#session = session;
    this.#metadata = { "buildkit-attachable-store-id": id };
  }

  async read(digest: Digest, offset: number, signal: AbortSignal): Promise<Readable> {
    const size = await this.#sizeOf(digest, signal);
    return Readable.from(this.#pieces({ digest, offset, size: size - offset }, signal));
  }

  async write({ digest, size }: Blob, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    const types = { request: m.WriteRequest, response: m.WriteResponse };
    using exchange = this.#session.client.open(`${service}/Write`, types, this.#metadata, signal);
    try {
      await new BlobWriter(exchange, digest, size).write(content);
    } catch (error) {
      if (!(error instanceof RpcError && error.code === codes.alreadyExists)) throw error;
    }
  }

  async *#pieces(request: { digest: Digest; offset: number; size: number }, signal: AbortSignal) {
    if (request.size <= 0) return;
    const types = { request: m.ReadRequest, response: m.ReadResponse };
    using exchange = this.#session.client.open(`${service}/Read`, types, this.#metadata, signal);
    await exchange.send(request);
    exchange.end();
    for await (const { data } of exchange.messages) yield data;
  }

  async #sizeOf(digest: Digest, signal: AbortSignal): Promise<number> {
    const types = { request: m.InfoRequest, response: m.InfoResponse };
    const ask = () => this.#session.client.call(`${service}/Info`, types, { digest }, signal, this.#metadata);
    const { info } = await ask().catch((cause) => {
      if (!(cause instanceof RpcError && cause.code === codes.notFound)) throw cause;
      throw new SampanError("not-found", `the client has no blob ${digest}`, { cause });
    });
    return info?.size ?? 0;
  }
}

/** One blob on its way: every piece is answered before the next. */
class BlobWriter {
  readonly #exchange: Exchange<typeof m.WriteRequest, typeof m.WriteResponse>;
  readonly #blob: { readonly expected: Digest; readonly total: number };
  #offset = 0;

  constructor(exchange: Exchange<typeof m.WriteRequest, typeof m.WriteResponse>, expected: Digest, total: number) {
    this.#exchange = exchange;
    this.#blob = { expected, total };
  }

  async write(content: AsyncIterable<Uint8Array>): Promise<void> {
    const { expected, total } = this.#blob;
    // What a transfer that broke off has left is written over.
    await this.#send({ action: m.actions.stat, ref: `sampan-${expected}`, expected, total });
    for await (const chunk of content) {
      for (let at = 0; at < chunk.length; at += pieceSize) {
        const data = Buffer.from(chunk.subarray(at, at + pieceSize));
        await this.#send({ action: m.actions.write, offset: this.#offset, data });
        this.#offset += data.length;
      }
    }
    await this.#send({ action: m.actions.commit, offset: this.#offset, expected, total });
    this.#exchange.end();
  }

  async #send(message: Sent<typeof m.WriteRequest>): Promise<void> {
    await this.#exchange.send(message);
    const { value, done } = await this.#exchange.messages.next();
    if (done === true || value === undefined) {
      throw new SampanError("failed", `Cannot send blob ${this.#blob.expected}: the client has ended the transfer`);
    }
  }
}
