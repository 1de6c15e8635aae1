import type { Hold } from "../../images/garbage.ts";
import type { ChainId, Digest } from "../../storage/digest.ts";
import type { WorkParts } from "../parts.ts";
import { type Stack, stackOf } from "../solve/stack.ts";
import { unpackLayer } from "../solve/unpack-layer.ts";
import type { CacheKind, CacheRecords } from "./records.ts";

/** What a step's result is written down with. */
export interface NewResult {
  readonly key: string;
  readonly kind: CacheKind;
  readonly description: string;
  readonly parent: Stack;
  readonly result: Stack;
  /** Milliseconds since 1970; now, when absent. */
  readonly created?: number;
}

/** What a result has kept. */
interface Unkept {
  readonly blobs: Digest[];
  /** Bottom first. */
  readonly chains: ChainId[];
}

/** The results of steps, by what went into them. */
export class StepCache {
  readonly records: CacheRecords;
  readonly #parts: WorkParts;
  readonly #users = new Map<string, number>();

  constructor(parts: WorkParts, records: CacheRecords) {
    this.#parts = parts;
    this.records = records;
  }

  isUsed(key: string): boolean {
    return this.#users.has(key);
  }

  /** Notes that a build works with a result, until what it answers is called. */
  use(key: string): () => void {
    this.#users.set(key, (this.#users.get(key) ?? 0) + 1);
    return () => {
      const left = (this.#users.get(key) ?? 1) - 1;
      if (left === 0) this.#users.delete(key);
      else this.#users.set(key, left);
    };
  }

  /** The result of a step on `parent`, held and all there; undefined when it must be carried out. */
  async find(key: string, parent: Stack, hold: Hold): Promise<{ stack: Stack; created: number } | undefined> {
    const { tools } = this.#parts;
    const record = this.records.find(key);
    if (record === undefined) return undefined;
    const stack = stackOf([...parent.layers, record.layer]);
    const chainId = stack.chains.at(-1) as ChainId;
    await tools.garbage.add(hold, [record.layer.digest], [chainId]);
    if (!tools.content.has(record.layer.digest)) {
      await this.#holdGone(hold, this.remove(key));
      return undefined;
    }
    // One that is known by its blob only: of `COPY --link` on another base.
    await unpackLayer(tools, stack);
    return { stack, created: record.created };
  }

  /** Keeps a result, with what it stands on; answers when it was made. One that it replaces goes when `hold` ends. */
  async insert(
    { key, kind, description, parent, result, created = Date.now() }: NewResult,
    hold: Hold,
  ): Promise<number> {
    const { tools } = this.#parts;
    const layer = result.layers.at(-1);
    const chain = result.chains.at(-1);
    if (layer === undefined || chain === undefined) return created;
    const size = tools.layers.sizeOf(chain);
    const replaced = this.records.change(() => {
      this.records.insert({ key, kind, description, parent: parent.chains.at(-1) ?? "", chain, layer, size, created });
      const before = tools.records.unkeep(key);
      tools.records.keep(
        key,
        result.layers.map(({ digest }) => digest),
        result.chains,
      );
      return before;
    });
    await this.#holdGone(hold, replaced);
    return created;
  }

  /** Forgets a result; what nobody else needs is for `Garbage.collect`. */
  remove(key: string): Unkept {
    return this.records.change(() => {
      this.records.delete(key);
      return this.#parts.tools.records.unkeep(key);
    });
  }

  /** The end of a hold deletes what nobody needs. */
  async #holdGone(hold: Hold, { blobs, chains }: Unkept): Promise<void> {
    await this.#parts.tools.garbage.add(hold, blobs, chains);
  }
}
