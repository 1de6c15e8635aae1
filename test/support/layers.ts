import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type { Executor } from "../../src/kernel/executor.ts";
import type { ChainId } from "../../src/storage/digest.ts";
import { openLayerStore } from "../../src/storage/layers/index.ts";
import type { LayerStore } from "../../src/storage/layers/types.ts";
import { readXattrs } from "../../src/storage/unpack/probe.ts";
import { inPieces, type TarMember, tarArchive } from "./tar.ts";

/** A name for a layer that nobody checks against its content. */
export function chainId(name: string): ChainId {
  return `sha256:${createHash("sha256").update(name).digest("hex")}` as ChainId;
}

/** A layer store and shorthands to fill it with small archives. */
export class LayerBench {
  readonly directory: string;
  readonly store: LayerStore;
  readonly executor: Executor;

  constructor(executor: Executor, parent: string) {
    this.executor = executor;
    this.directory = join(parent, "layers");
    mkdirSync(this.directory, { recursive: true });
    this.store = openLayerStore({ directory: this.directory, executor });
  }

  /** Unpacks an archive on top of `parents`, names of earlier ones, bottom first. Returns the layer's directory. */
  async apply(name: string, parts: readonly (TarMember | Buffer)[], parents: readonly string[] = []): Promise<string> {
    await this.applyTar(name, tarArchive(...parts), parents);
    return this.store.directory(chainId(name));
  }

  applyTar(name: string, tar: Buffer, parents: readonly string[] = [], pieces = 777): Promise<{ size: number }> {
    return this.store.apply({
      chainId: chainId(name),
      parents: parents.map(chainId),
      parentsReady: Promise.resolve(),
      tar: inPieces(tar, pieces),
    });
  }

  /** Extended attributes of a file in a layer, as text. */
  async xattrs(layer: string, name: string): Promise<Record<string, string>> {
    const found = await readXattrs(this.executor, layer, name);
    return Object.fromEntries(found.map(([key, value]) => [key, value.toString("latin1")]));
  }
}

/** Everything below a directory: name → type and rights, owner, what it is. Times in seconds where asked for. */
export function treeOf(directory: string, options: { times?: boolean } = {}): Record<string, string> {
  const tree: Record<string, string> = {};
  for (const name of ["", ...readdirSync(directory, { recursive: true, encoding: "utf8" })].sort()) {
    const stat = lstatSync(join(directory, name));
    const type = stat.isSymbolicLink()
      ? `-> ${readlinkSync(join(directory, name))}`
      : stat.isFile()
        ? `${stat.size} bytes`
        : stat.isDirectory()
          ? "directory"
          : stat.isFIFO()
            ? "fifo"
            : `${stat.isBlockDevice() ? "block" : "character"} ${stat.rdev >> 8}:${stat.rdev & 0xff}`;
    const time = options.times ? ` ${Math.floor(stat.mtimeMs / 1000)}` : "";
    tree[name] = `${(stat.mode & 0o7777).toString(8)} ${stat.uid}:${stat.gid} ${type}${time}`;
  }
  return tree;
}
