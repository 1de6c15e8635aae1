import type { ContentStore } from "../storage/content/content.ts";
import type { ChainId, Digest } from "../storage/digest.ts";
import type { LayerStore } from "../storage/layers/types.ts";
import type { ImageRecords } from "./records.ts";

/** How long (ms) the downloaded parts of an interrupted pull wait to be used by the next one. */
const keepFor = 24 * 3600 * 1000;

/** What an operation needs to stay: nothing held is deleted, whoever removes images meanwhile. */
export interface Hold {
  readonly blobs: Set<Digest>;
  readonly chains: Set<ChainId>;
  /** Whether another operation goes on with blobs that this one leaves: those that are fetched by their digests. */
  readonly resumable: boolean;
}

/**
 * Deletes blobs and layers that no image needs. What a pull or load works on is held until its image's row is written.
 * After a crash everything that nobody needs is deleted, but for what the next pull goes on with: that is noted in the
 * database, and waits for a while.
 */
export class Garbage {
  readonly #content: ContentStore;
  readonly #layers: LayerStore;
  readonly #records: ImageRecords;
  readonly #held = new Map<Digest, number>();
  readonly #deleting = new Map<Digest, Promise<void>>();

  constructor(content: ContentStore, layers: LayerStore, records: ImageRecords) {
    this.#content = content;
    this.#layers = layers;
    this.#records = records;
  }

  /** An empty hold; `add` fills it. */
  hold({ resumable = false } = {}): Hold {
    return { blobs: new Set(), chains: new Set(), resumable };
  }

  /** Holds more. Must be awaited before looking whether any of it is in a store. */
  async add(hold: Hold, blobs: Iterable<Digest>, chains: Iterable<ChainId> = []): Promise<void> {
    const added: Digest[] = [];
    this.#records.change(() => {
      for (const digest of blobs) if (this.#take(hold, digest, "blob")) added.push(digest);
      for (const chain of chains) if (this.#take(hold, chain, "layer")) added.push(chain);
    });
    await Promise.all(added.map((digest) => this.#deleting.get(digest)));
  }

  /** Ends a hold. What no image needs now is deleted, unless `keep` says that the next try will want it. */
  async release(hold: Hold, keep: boolean): Promise<void> {
    for (const digest of [...hold.blobs, ...hold.chains]) {
      const count = (this.#held.get(digest) ?? 0) - 1;
      if (count > 0) this.#held.set(digest, count);
      else this.#held.delete(digest);
    }
    const blobs = [...hold.blobs].filter((digest) => !keep || this.#records.usesBlob(digest));
    const chains = [...hold.chains].filter((chain) => !keep || this.#records.usesLayer(chain));
    await this.collect(blobs, chains.reverse());
  }

  /**
   * Deletes those that nobody needs or holds; returns the deleted layers. Give upper layers first. That nobody needs them is
   * on the disk before: no loss of power brings an image back without its files.
   */
  async collect(blobs: Iterable<Digest>, chains: Iterable<ChainId>): Promise<ChainId[]> {
    const deleted: ChainId[] = [];
    let synced: Promise<void> | undefined;
    const sync = () => {
      synced ??= this.#records.sync();
      return synced;
    };
    for (const chain of chains) {
      if (this.#held.has(chain)) continue;
      if (!this.#records.usesLayer(chain) && this.#layers.has(chain)) {
        deleted.push(chain);
        await this.#delete(chain, () => sync().then(() => this.#layers.remove(chain)));
      }
      this.#records.dropPending("layer", chain);
    }
    for (const digest of blobs) {
      if (this.#held.has(digest)) continue;
      if (!this.#records.usesBlob(digest)) {
        const known = this.#content.has(digest);
        await this.#delete(digest, () => (known ? sync() : Promise.resolve()).then(() => this.#removeBlob(digest)));
      }
      this.#records.dropPending("blob", digest);
    }
    return deleted;
  }

  /** Finds what a crash has left; after a loss of power not even a note may tell of it. At the start only. */
  async sweep(now = Date.now()): Promise<void> {
    const old = this.#records.pending("blob", now - keepFor);
    const waiting = new Set(this.#records.pending("blob", now + 1));
    const stray = this.#content.list().filter((blob) => !waiting.has(blob) && !this.#records.usesBlob(blob));
    const chains = this.#records.pending("layer", now + 1).reverse() as ChainId[];
    const unused = this.#layers.list().filter((chain) => !this.#records.usesLayer(chain));
    await this.collect([...old, ...stray], new Set([...chains, ...unused]));
    await this.#content.sweepIngests(keepFor);
  }

  /** Deletes what interrupted pulls have left without waiting for the next ones; returns how many bytes that were. */
  async collectInterrupted(): Promise<number> {
    const left = (kind: "blob" | "layer") =>
      this.#records.pending(kind, Date.now() + 1).filter((one) => !this.#held.has(one));
    const blobs = left("blob");
    const chains = left("layer").reverse() as ChainId[];
    let bytes = 0;
    for (const blob of blobs) if (!this.#records.usesBlob(blob)) bytes += this.#content.storedSize(blob);
    const sizes = new Map(chains.map((chain) => [chain, this.#layers.has(chain) ? this.#layers.sizeOf(chain) : 0]));
    for (const chain of await this.collect(blobs, chains)) bytes += sizes.get(chain) ?? 0;
    return bytes;
  }

  #take(hold: Hold, digest: Digest | ChainId, kind: "blob" | "layer"): boolean {
    const into: Set<string> = kind === "blob" ? hold.blobs : hold.chains;
    if (into.has(digest)) return false;
    into.add(digest);
    this.#held.set(digest, (this.#held.get(digest) ?? 0) + 1);
    if (kind === "layer" || hold.resumable) this.#records.addPending(kind, digest);
    return true;
  }

  async #removeBlob(digest: Digest): Promise<void> {
    await this.#content.forget(digest);
    await this.#content.remove(digest);
  }

  async #delete(digest: Digest, remove: () => Promise<void>): Promise<void> {
    const running = (this.#deleting.get(digest) ?? Promise.resolve()).then(remove);
    this.#deleting.set(digest, running);
    try {
      await running;
    } finally {
      if (this.#deleting.get(digest) === running) this.#deleting.delete(digest);
    }
  }
}
