import { readFileSync } from "node:fs";
import type { ContentStore } from "../storage/content/content.ts";
import type { Digest } from "../storage/digest.ts";
import type { LayerStore } from "../storage/layers/types.ts";
import { decompressed } from "./decompress.ts";
import type { Garbage } from "./garbage.ts";
import type { ImageRecords } from "./records.ts";
import { documentLimit, parseDocument } from "./shapes.ts";
import type { StoredImage } from "./types.ts";

type Stores = {
  readonly content: ContentStore;
  readonly layers: LayerStore;
  readonly records: ImageRecords;
  readonly garbage: Garbage;
};

/**
 * Brings images to the disk behind the back of who has made them: what is committed is answered for as soon as it is there,
 * and a note with its row says that it is not on the disk. Should the power be lost before the note is taken away, the daemon
 * that starts then looks whether the image is whole: see docs/decisions/power-loss.md.
 */
export class Settling {
  readonly #stores: Stores;
  readonly #underWay = new Map<Digest, Promise<void>>();

  constructor(stores: Stores) {
    this.#stores = stores;
  }

  /** To be called in the transaction that adds the image; `begin` when that is over. */
  note(id: Digest): void {
    this.#stores.records.noteUnsettled(id, bootId());
  }

  begin(id: Digest): void {
    const settling = this.#settle(id).finally(() => {
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

  /** What an earlier daemon has not brought to the disk: after its end that goes on, after the machine's it is looked at. */
  async recover(): Promise<void> {
    const boot = bootId();
    for (const { image, boot: noted } of this.#stores.records.unsettled()) {
      if (noted === boot) this.begin(image);
      else await this.#verify(image);
    }
  }

  async #settle(id: Digest): Promise<void> {
    const { content, layers, records } = this.#stores;
    try {
      await layers.sync();
      await content.sync(records.blobsOf(id).filter((blob) => content.has(blob)));
    } catch (error) {
      if (records.unsettled().every(({ image }) => image !== id)) return; // it was removed meanwhile
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

/** Another one after every start of the machine (random(4)). */
function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}
