import { setTimeout } from "node:timers/promises";
import { SampanError } from "../errors/index.ts";
import type { ContentStore } from "../storage/content/content.ts";
import type { Digest } from "../storage/digest.ts";
import type { LayerStore } from "../storage/layers/types.ts";
import { decompressed } from "./decompress.ts";
import type { Garbage } from "./garbage.ts";
import type { ImageRecords } from "./records.ts";
import { documentLimit, parseDocument } from "./shapes.ts";
import type { StoredImage } from "./types.ts";

/** ms that who has made an image is given to be answered. */
const headStart = 50;

type Stores = {
  readonly content: ContentStore;
  readonly layers: LayerStore;
  readonly records: ImageRecords;
  readonly garbage: Garbage;
};

/**
 * Brings images to the disk behind the back of who has made them: what is committed is answered for as soon as it is there,
 * and a note with its row says that it is not on the disk. Should the power be lost before the note is taken away, or the daemon
 * be killed, the next one looks whether the image is whole: see docs/decisions/power-loss.md.
 */
export class Settling {
  readonly #stores: Stores;
  readonly #underWay = new Map<Digest, Promise<void>>();

  constructor(stores: Stores) {
    this.#stores = stores;
  }

  /** To be called in the transaction that adds the image; `begin` when that is over. */
  note(id: Digest): void {
    this.#stores.records.noteUnsettled(id);
  }

  begin(id: Digest): void {
    this.#track(id, this.#settle(id));
  }

  #track(id: Digest, work: Promise<void>): void {
    const settling = work.finally(() => {
      if (this.#underWay.get(id) === settling) this.#underWay.delete(id);
    });
    settling.catch(() => undefined); // told to whoever waits; the note stays, and the next daemon tries again
    this.#underWay.set(id, settling);
  }

  /** The end of an image's way to the disk; undefined when it is there. */
  of(id: Digest): Promise<void> | undefined {
    return this.#underWay.get(id);
  }

  /** Whatever is on its way: who shares layers with an image that was just made relies on them. */
  async all(): Promise<void> {
    await Promise.all(this.#underWay.values());
  }

  /** Looks at what an earlier daemon has not brought to the disk, after `swept`; until then all of it is on its way. */
  async recover(swept: Promise<void>): Promise<void> {
    let before = swept;
    for (const id of this.#stores.records.unsettled()) {
      const verified = before.then(() => this.#verify(id));
      this.#track(id, verified);
      before = verified.catch(() => undefined);
    }
    await before;
  }

  async #settle(id: Digest): Promise<void> {
    const { content, layers, records } = this.#stores;
    // Whatever else is written for the answer would wait for the disk, too.
    await setTimeout(headStart, undefined, { ref: false });
    try {
      await layers.sync();
      await content.sync(records.blobsOf(id).filter((blob) => content.has(blob)));
    } catch (error) {
      if (!records.unsettled().includes(id)) return; // it was removed meanwhile
      throw error;
    }
    records.settled(id);
  }

  /** An image whose blobs are whole gets its layers anew, out of these; another one was not there yet. */
  async #verify(id: Digest): Promise<void> {
    const { records, garbage } = this.#stores;
    const image = [...records.visible(), ...records.hidden()].find((one) => one.id === id);
    if (image === undefined) return records.settled(id);
    if (await this.#isWhole(image)) {
      await this.#unpackAgain(image);
      records.settled(id);
      return;
    }
    const { blobs, chains } = records.delete(id);
    await garbage.collect(blobs, chains);
    throw new SampanError("not-found", `No such image: ${id}`);
  }

  async #isWhole({ id }: StoredImage): Promise<boolean> {
    const { content, records } = this.#stores;
    for (const blob of records.blobsOf(id)) {
      if (records.isSettledBlob(blob)) continue;
      if (!content.has(blob) || !(await content.isIntact(blob))) return false;
    }
    return true;
  }

  async #unpackAgain({ id, layers: own }: StoredImage): Promise<void> {
    const { content, layers, records } = this.#stores;
    const row = records.manifestOf(id);
    if (row === undefined) return;
    const document = parseDocument(await content.readSmall(row.digest, documentLimit), id, row.mediaType);
    if (document.kind !== "manifest") return;
    const chains = own.map(({ chainId }) => chainId);
    for (const [at, chainId] of chains.entries()) {
      const blob = document.manifest.layers[at];
      if (blob === undefined || records.isSettledLayer(chainId)) continue;
      await layers.remove(chainId);
      const tar = decompressed(content.read(blob.digest), `layer ${blob.digest}`);
      await layers.apply({ chainId, parents: chains.slice(0, at), parentsReady: Promise.resolve(), tar });
    }
  }
}
