import { createHash } from "node:crypto";
import { SampanError } from "../errors/index.ts";
import { VerificationError } from "../storage/content/ingest.ts";
import { algorithmOf, type ChainId, type DiffId } from "../storage/digest.ts";
import type { LayerStore } from "../storage/layers/types.ts";
import { decompressed } from "./decompress.ts";
import { type Blob, type BlobSource, Download, type DownloadTools } from "./download.ts";
import { Feed, shortId, tenTimesASecond } from "./progress.ts";
import type { Membership, Shared } from "./shared.ts";
import type { Slots } from "./slots.ts";
import type { StoredLayer } from "./types.ts";

/** One layer of an image that is wanted here. */
export interface WantedLayer {
  readonly blob: Blob;
  readonly diffId: DiffId;
  readonly chainId: ChainId;
  /** Bottom first. */
  readonly parents: readonly ChainId[];
}

export interface LayerTools extends DownloadTools {
  readonly layers: LayerStore;
  readonly downloads: Shared<Download>;
  readonly unpacks: Slots;
}

export interface LayerOptions {
  readonly signal: AbortSignal;
  readonly parentsReady: Promise<unknown>;
  /** Where to get the blob from, if it is not in the content store. */
  readonly source?: BlobSource | undefined;
  /** The status word while unpacking. */
  readonly unpacking: "Extracting" | "Loading layer";
}

/** A layer on its way from a registry or an archive into the layer store, its blob into the content store. */
export class LayerFlight {
  readonly done: Promise<StoredLayer>;
  readonly feed: Feed;
  readonly #tools: LayerTools;
  readonly #wanted: WantedLayer;
  readonly #options: LayerOptions;

  /** Flights must be started bottom layer first: places are given in that order, so a parent never waits for a child. */
  constructor(tools: LayerTools, wanted: WantedLayer, options: LayerOptions) {
    this.#tools = tools;
    this.#wanted = wanted;
    this.#options = options;
    this.feed = new Feed(shortId(options.source === undefined ? wanted.diffId : wanted.blob.digest));
    this.done = this.#run();
    this.done.catch(() => undefined);
  }

  async #run(): Promise<StoredLayer> {
    const { chainId, diffId, blob } = this.#wanted;
    const unpacked = this.#tools.layers.has(chainId);
    if (unpacked && this.#tools.content.has(blob.digest)) {
      this.feed.tell("Already exists");
      return { diffId, chainId, size: this.#tools.layers.sizeOf(chainId) };
    }
    if (this.#options.source !== undefined) this.feed.tell("Pulling fs layer");
    // Asked for before anything is awaited: see the constructor.
    const slot = unpacked ? Promise.resolve(() => {}) : this.#tools.unpacks.take(this.#options.signal);
    try {
      const size = await this.#obtain(slot);
      if (this.#options.source !== undefined) this.feed.tell("Pull complete");
      return { diffId, chainId, size };
    } finally {
      slot.then(
        (free) => free(),
        () => undefined,
      );
    }
  }

  async #obtain(slot: Promise<unknown>): Promise<number> {
    const { content } = this.#tools;
    const { blob } = this.#wanted;
    if (content.has(blob.digest))
      return await this.#unpack(
        slot,
        () => content.read(blob.digest),
        () => true,
      );
    const { source } = this.#options;
    if (source === undefined) throw new SampanError("invalid", `Cannot load the image: blob ${blob.digest} is missing`);
    try {
      return await this.#fetchAndUnpack(slot, source);
    } catch (error) {
      // Bytes kept from an earlier pull may have been damaged by a crash. They are gone now, so this is once more only.
      if (!(error instanceof ResumedDamage)) throw error;
      return await this.#fetchAndUnpack(slot, source);
    }
  }

  async #fetchAndUnpack(slot: Promise<unknown>, source: BlobSource): Promise<number> {
    const { downloads } = this.#tools;
    const { blob } = this.#wanted;
    const start = (signal: AbortSignal) => new Download(this.#tools, blob, source, { signal, feed: this.feed });
    const member: Membership<Download> = await downloads.join(blob.digest, start);
    const download = member.flight;
    let fetched = false;
    try {
      download.done.then(
        () => {
          fetched = true;
        },
        () => undefined,
      );
      const size = await this.#unpack(
        slot,
        (stop) => download.read(stop),
        () => fetched,
      );
      await download.done;
      return size;
    } catch (error) {
      await member.leave();
      if (!download.resumed || !(error instanceof SampanError) || error.kind !== "invalid") throw error;
      await this.#tools.content.forget(blob.digest);
      throw new ResumedDamage(error);
    } finally {
      await member.leave();
    }
  }

  async #unpack(
    slot: Promise<unknown>,
    open: (stop: AbortSignal) => AsyncIterable<Uint8Array>,
    fetched: () => boolean,
  ): Promise<number> {
    const { layers } = this.#tools;
    const { blob, chainId, diffId, parents } = this.#wanted;
    if (layers.has(chainId)) return layers.sizeOf(chainId);
    await slot;
    const stop = new AbortController();
    let read = 0;
    const tell = tenTimesASecond(() => {
      if (fetched()) this.feed.tell(this.#options.unpacking, { current: read, total: blob.size });
    });
    const counted = each(open(AbortSignal.any([stop.signal, this.#options.signal])), (chunk) => {
      read += chunk.byteLength;
      tell();
    });
    const tar = stoppable(verified(decompressed(counted, `layer ${blob.digest}`), diffId), stop);
    const parentsReady = this.#options.parentsReady.then(() => undefined);
    parentsReady.catch(() => undefined);
    const { size } = await layers.apply({ chainId, parents, parentsReady, tar, signal: this.#options.signal });
    this.feed.tell(this.#options.unpacking, { current: blob.size, total: blob.size });
    return size;
  }
}

/** A blob that was continued from an earlier pull and is not what it should be. */
class ResumedDamage extends SampanError {
  constructor(cause: SampanError) {
    super(cause.kind, cause.message, { cause });
  }
}

async function* each(source: AsyncIterable<Uint8Array>, see: (chunk: Uint8Array) => void): AsyncIterable<Uint8Array> {
  for await (const chunk of source) {
    see(chunk);
    yield chunk;
  }
}

/** A reader who leaves early does not wait for bytes that are still to come from the network. */
function stoppable<T>(source: AsyncIterable<T>, stop: AbortController): AsyncIterable<T> {
  const iterator = source[Symbol.asyncIterator]();
  const leave = async (): Promise<IteratorResult<T>> => {
    stop.abort();
    return (await iterator.return?.()) ?? { done: true, value: undefined };
  };
  return { [Symbol.asyncIterator]: () => ({ next: () => iterator.next(), return: leave }) };
}

/** Passes a tar through and throws at its end unless it is the one the image's config names. */
export async function* verified(tar: AsyncIterable<Uint8Array>, diffId: DiffId): AsyncIterable<Uint8Array> {
  const algorithm = algorithmOf(diffId);
  const hash = createHash(algorithm);
  for await (const chunk of tar) {
    hash.update(chunk);
    yield chunk;
  }
  const got = `${algorithm}:${hash.digest("hex")}`;
  if (got !== diffId) {
    throw new VerificationError(`Cannot use layer ${diffId}: what was unpacked has the digest ${got}`);
  }
}
