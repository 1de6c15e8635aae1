import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, open, rename, rm, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SampanError } from "../../errors/index.ts";
import type { Executor } from "../../kernel/executor.ts";
import * as flags from "../../kernel/flags.ts";
import { Program } from "../../kernel/program.ts";
import { storageError } from "../content/errors.ts";
import { type ChainId, hexOf, parseChainId } from "../digest.ts";
import { treeSize } from "../snapshots/usage.ts";
import { removeTree } from "../unpack/remove-tree.ts";
import { type UnpackOptions, unpack } from "../unpack/unpack.ts";
import type { AppliedLayer, LayerStore, LayerToAdopt, LayerToApply, LayerToMake, MadeLayer } from "./types.ts";

/** Directories of these names are of nobody: a daemon that died was unpacking or removing. */
const unfinished = /^\.(ingest|remove)-/;

interface LayerStoreOptions {
  /** Where the layers are; made when missing. */
  readonly directory: string;
  readonly executor: Executor;
}

/**
 *     <directory>/<hex of the chain id>/       a finished layer
 *     <directory>/<hex of the chain id>.json   what is known of it: { size }
 *     <directory>/.ingest-<random>/{root,old}  being unpacked; old: what later entries of the tar have replaced
 *     <directory>/.remove-<random>             being removed
 */
class DirectoryLayerStore implements LayerStore {
  readonly #directory: string;
  readonly #executor: Executor;
  readonly #sizes = new Map<ChainId, number>();
  readonly #applying = new Map<ChainId, Promise<AppliedLayer>>();

  constructor({ directory, executor }: LayerStoreOptions) {
    this.#directory = directory;
    this.#executor = executor;
    mkdirSync(directory, { recursive: true, mode: 0o711 });
  }

  has(chainId: ChainId): boolean {
    return this.#sizes.has(chainId) || existsSync(this.directory(chainId));
  }

  directory(chainId: ChainId): string {
    return join(this.#directory, hexOf(chainId));
  }

  list(): ChainId[] {
    const names = readdirSync(this.#directory).filter((name) => /^[0-9a-f]{64}$/.test(name));
    return names.sort().map((name) => parseChainId(`sha256:${name}`));
  }

  sizeOf(chainId: ChainId): number {
    const known = this.#sizes.get(chainId);
    if (known !== undefined) return known;
    try {
      const { size } = JSON.parse(readFileSync(`${this.directory(chainId)}.json`, "utf8"));
      this.#sizes.set(chainId, Number(size));
      return Number(size);
    } catch (cause) {
      throw new SampanError("not-found", `Cannot tell the size of layer ${chainId}: it is not here`, { cause });
    }
  }

  async apply(layer: LayerToApply): Promise<AppliedLayer> {
    const { chainId } = layer;
    // Whether it is waited for or not: a rejection has somebody who looks at it.
    layer.parentsReady.catch(() => {});
    const running = this.#applying.get(chainId);
    if (running || this.has(chainId)) {
      await readToTheEnd(layer);
      return running ?? { size: this.sizeOf(chainId) };
    }
    const applied = this.#unpack(layer).finally(() => this.#applying.delete(chainId));
    this.#applying.set(chainId, applied);
    return applied;
  }

  adopt({ chainId, directory }: LayerToAdopt): Promise<AppliedLayer> {
    return this.#once(chainId, directory, () => this.#adopt(chainId, directory));
  }

  async make(layer: LayerToMake): Promise<MadeLayer> {
    const more = { parentsReady: Promise.resolve(), durable: false };
    const { ingest, root, size } = await this.#unpackSomewhere("unpack a new layer", {
      ...layer,
      ...more,
      parents: this.#lower(layer.parents),
    });
    return {
      keep: async (chainId) => {
        try {
          return await this.#once(chainId, root, async () => {
            await this.#name(chainId, root, size, false);
            return { size };
          });
        } catch (error) {
          throw storageError(`store layer ${chainId}`, error);
        } finally {
          await removeTree(this.#executor, ingest);
        }
      },
      discard: () => removeTree(this.#executor, ingest),
    };
  }

  /** Lets `work` make a directory the layer, unless it is here or on its way: then the directory is removed. */
  async #once(chainId: ChainId, directory: string, work: () => Promise<AppliedLayer>): Promise<AppliedLayer> {
    const running = this.#applying.get(chainId);
    if (running || this.has(chainId)) {
      await removeTree(this.#executor, directory);
      return running ?? { size: this.sizeOf(chainId) };
    }
    const working = work().finally(() => this.#applying.delete(chainId));
    this.#applying.set(chainId, working);
    return working;
  }

  async #adopt(chainId: ChainId, directory: string): Promise<AppliedLayer> {
    try {
      const size = await treeSize(this.#executor, directory);
      await syncFileSystem(this.#executor, directory);
      await this.#commit(chainId, directory, size);
      return { size };
    } catch (error) {
      throw storageError(`make ${directory} layer ${chainId}`, error);
    }
  }

  sync(): Promise<void> {
    return syncFileSystem(this.#executor, this.#directory);
  }

  async remove(chainId: ChainId): Promise<void> {
    this.#sizes.delete(chainId);
    const doomed = join(this.#directory, `.remove-${randomBytes(8).toString("hex")}`);
    try {
      await rename(this.directory(chainId), doomed);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      return;
    }
    await rm(`${this.directory(chainId)}.json`, { force: true });
    await removeTree(this.#executor, doomed);
  }

  async sweep(): Promise<void> {
    const names = readdirSync(this.#directory);
    for (const name of names) {
      if (unfinished.test(name)) await removeTree(this.#executor, join(this.#directory, name));
      else if (name.endsWith(".json") && !names.includes(name.slice(0, -5))) await unlink(join(this.#directory, name));
    }
  }

  async #unpack({ chainId, ...layer }: LayerToApply): Promise<AppliedLayer> {
    const lower = this.#lower(layer.parents);
    const { ingest, root, size } = await this.#unpackSomewhere(`unpack layer ${chainId}`, { ...layer, parents: lower });
    try {
      await this.#commit(chainId, root, size);
      return { size };
    } catch (error) {
      throw storageError(`unpack layer ${chainId}`, error);
    } finally {
      await removeTree(this.#executor, ingest);
    }
  }

  /** Unpacks where nobody looks: `root` in `ingest`, of which nothing is left after an error. */
  async #unpackSomewhere(
    purpose: string,
    { parents, ...layer }: Omit<UnpackOptions, "executor" | "purpose" | "root" | "trash">,
  ) {
    const ingest = join(this.#directory, `.ingest-${randomBytes(8).toString("hex")}`);
    const [root, trash] = [join(ingest, "root"), join(ingest, "old")];
    try {
      for (const directory of [ingest, root, trash]) await mkdir(directory, { mode: 0o700 });
      const size = await unpack({ executor: this.#executor, purpose, root, trash, parents, ...layer });
      return { ingest, root, size };
    } catch (error) {
      await removeTree(this.#executor, ingest);
      throw storageError(purpose, error);
    }
  }

  /** Directories of layers, top first. */
  #lower(parents: readonly ChainId[]): string[] {
    return parents.toReversed().map((parent) => this.directory(parent));
  }

  async #name(chainId: ChainId, root: string, size: number, durable: boolean): Promise<void> {
    const target = this.directory(chainId);
    await writeFile(`${target}.json`, JSON.stringify({ size }), { flush: durable });
    await rename(root, target);
    this.#sizes.set(chainId, size);
  }

  /** The layer's files are on the disk; now its name. */
  async #commit(chainId: ChainId, root: string, size: number): Promise<void> {
    await this.#name(chainId, root, size, true);
    const directory = await open(this.#directory);
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}

/** Everything that was written to the file system of `directory` is on the disk afterwards (syncfs(2)). */
async function syncFileSystem(executor: Executor, directory: string): Promise<void> {
  const p = new Program(`write ${directory} to the disk`);
  const how = flags.O_RDONLY | flags.O_DIRECTORY | flags.O_CLOEXEC;
  const fd = p.sys("openat", [flags.AT_FDCWD, p.text(directory), how, 0], { note: "open it" });
  p.call("syncfs", [fd], { note: "write its file system to the disk" });
  await executor.run(p);
}

/** Whoever verifies the bytes does so while they are read. */
async function readToTheEnd({ tar, signal }: LayerToApply): Promise<void> {
  for await (const _ of tar) {
    if (signal?.aborted) throw new SampanError("cancelled", "Cannot read a layer: it was cancelled");
  }
}

/** The layers below `directory`. */
export function openLayerStore(options: LayerStoreOptions): LayerStore {
  return new DirectoryLayerStore(options);
}
