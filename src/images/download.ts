import { open } from "node:fs/promises";
import { cancelled, orCancelled } from "../errors/cancel.ts";
import { SampanError } from "../errors/index.ts";
import { transferError } from "../registry/errors.ts";
import type { BlobPart } from "../registry/repository.ts";
import { backOff, type Patience, pause } from "../registry/retry.ts";
import type { ContentStore } from "../storage/content/content.ts";
import { errnoOf } from "../storage/content/errors.ts";
import { type Ingest, VerificationError } from "../storage/content/ingest.ts";
import { algorithmOf, type Digest } from "../storage/digest.ts";
import { type Feed, tenTimesASecond } from "./progress.ts";
import type { Slots } from "./slots.ts";

export interface Blob {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** Opens a blob at an offset; it may start earlier. */
export type BlobSource = (digest: Digest, offset: number, signal: AbortSignal) => Promise<BlobPart>;

export interface DownloadTools {
  readonly content: ContentStore;
  readonly slots: Slots;
  readonly patience: Patience;
}

/** How much of the file is read ahead of who unpacks it. */
const readSize = 512 * 1024;

/**
 * A blob that is being fetched into the content store. It can be read while it comes: readers follow the growing file,
 * so a slow unpacker never holds up the network, and see its end only after the whole of it was verified.
 */
export class Download {
  /** Verified and in the store. */
  readonly done: Promise<void>;
  /** Whether bytes of an earlier, interrupted download were used. */
  resumed = false;
  readonly #tools: DownloadTools;
  readonly #blob: Blob;
  #ingest: Ingest | undefined;
  #verified = false;
  #failure: { readonly error: unknown } | undefined;
  #change = Promise.withResolvers<void>();

  constructor(tools: DownloadTools, blob: Blob, source: BlobSource, o: { signal: AbortSignal; feed: Feed }) {
    this.#tools = tools;
    this.#blob = blob;
    if (tools.slots.full) o.feed.tell("Waiting");
    this.done = this.#run(source, o.signal, o.feed, tools.slots.take(o.signal));
    this.done.catch(() => undefined);
  }

  /** The blob's bytes from the start; throws what ended the download. The signal ends the waiting for more. */
  async *read(signal?: AbortSignal): AsyncIterable<Uint8Array> {
    while (this.#ingest === undefined) await this.#next(signal);
    const file = await open(this.#ingest.path).catch((error) => {
      if (errnoOf(error) !== "ENOENT") throw error;
      // Given up or committed between our look and our open.
      this.#throwFailure();
      return open(this.#tools.content.pathOf(this.#blob.digest));
    });
    try {
      for (let at = 0; ; ) {
        const ready = Math.min(readSize, this.#ingest.visible - at);
        if (ready > 0) {
          const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(ready), 0, ready, at);
          at += bytesRead;
          yield buffer.subarray(0, bytesRead);
        } else if (this.#verified) return;
        else await this.#next(signal);
      }
    } finally {
      await file.close();
    }
  }

  /** Waits for more bytes or another state; throws the failure. */
  async #next(signal: AbortSignal | undefined): Promise<void> {
    if (this.#failure === undefined) await orCancelled(this.#change.promise, signal);
    this.#throwFailure();
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #changed(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }

  async #run(source: BlobSource, signal: AbortSignal, feed: Feed, slot: Promise<() => void>): Promise<void> {
    let free = () => {};
    try {
      free = await slot;
      await this.#fetch(source, signal, feed);
    } catch (error) {
      this.#failure = { error };
      this.#changed();
      // What is wrong is thrown away; what is only incomplete is kept, to continue there.
      await (error instanceof VerificationError ? this.#ingest?.discard() : this.#ingest?.close());
      throw error;
    } finally {
      free();
    }
  }

  async #fetch(source: BlobSource, signal: AbortSignal, feed: Feed): Promise<void> {
    const { digest, size } = this.#blob;
    const ingest = await this.#tools.content.ingest(digest, algorithmOf(digest));
    if (ingest.offset > size) await ingest.restart();
    this.resumed = ingest.offset > 0;
    ingest.onGrowth = () => this.#changed();
    this.#ingest = ingest;
    this.#changed();
    const tell = tenTimesASecond(() => feed.tell("Downloading", { current: ingest.offset, total: size }));
    await this.#persist(ingest, source, signal, tell);
    feed.tell("Verifying Checksum");
    await ingest.flush();
    ingest.verify(size, digest);
    this.#verified = true;
    this.#changed();
    feed.tell("Download complete");
    await this.#tools.content.commit(ingest, size, digest);
  }

  /** Transfers until all is there; a broken connection is taken up again where it broke. */
  async #persist(ingest: Ingest, source: BlobSource, signal: AbortSignal, tell: () => void): Promise<void> {
    const { patience } = this.#tools;
    for (let failures = 0; ingest.offset < this.#blob.size; ) {
      const before = ingest.offset;
      try {
        await this.#transfer(ingest, source, signal, tell);
      } catch (error) {
        if (signal.aborted) throw cancelled(signal);
        if (!(error instanceof SampanError && error.kind === "unavailable")) throw error;
        failures = ingest.offset > before ? 1 : failures + 1;
        if (failures >= patience.attempts) throw error;
        await pause(backOff(failures, patience), signal);
      }
    }
  }

  async #transfer(ingest: Ingest, source: BlobSource, signal: AbortSignal, tell: () => void): Promise<void> {
    const { digest, size } = this.#blob;
    const part = await source(digest, ingest.offset, signal);
    let skip = ingest.offset - part.offset;
    for await (const bytes of received(part, `blob ${digest}`)) {
      const fresh = bytes.subarray(Math.min(skip, bytes.byteLength));
      skip -= bytes.byteLength - fresh.byteLength;
      if (fresh.byteLength === 0) continue;
      if (ingest.offset + fresh.byteLength > size) {
        throw new VerificationError(`Cannot use blob ${digest}: more than the promised ${size} bytes came`);
      }
      await ingest.write(fresh);
      tell();
    }
    if (ingest.offset < size) {
      throw new SampanError(
        "unavailable",
        `Cannot read blob ${digest}: it ended after ${ingest.offset} of ${size} bytes`,
      );
    }
  }
}

async function* received({ body }: BlobPart, what: string): AsyncIterable<Uint8Array> {
  try {
    yield* body as AsyncIterable<Uint8Array>;
  } catch (cause) {
    throw transferError(what, cause);
  }
}
