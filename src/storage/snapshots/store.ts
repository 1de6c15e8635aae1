import { mkdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SampanError } from "../../errors/index.ts";
import type { Executor } from "../../kernel/executor.ts";
import { storageError } from "../content/errors.ts";
import type { LayerStore } from "../layers/types.ts";
import type { Layout } from "../layout.ts";
import { removeTree } from "../unpack/remove-tree.ts";
import { makeBase } from "./base.ts";
import { hostLayers } from "./host.ts";
import type { LayerRef, Mount, OverlayMount, PrepareOptions, SnapshotStore } from "./types.ts";
import { treeSize } from "./usage.ts";

interface SnapshotStoreOptions {
  readonly layout: Pick<Layout, "root" | "run" | "containers" | "layers">;
  readonly layers: Pick<LayerStore, "directory">;
  readonly executor: Executor;
}

/**
 * What a kernel may have switched on by default, and what would make an upper directory mean something only together
 * with the lower ones it was made on (kernel Documentation/filesystems/overlayfs.rst).
 */
const OPTIONS = ["index=off", "metacopy=off", "redirect_dir=off"] as const;

/** What is kept of a snapshot: names of layers rather than paths, so that the root can be moved. */
interface Prepared {
  /** Bottom first. */
  readonly lower: readonly LayerRef[];
  readonly throwAway: boolean;
}

/**
 *     <containers>/<key>/snapshot.json   what it stands on
 *     <containers>/<key>/upper, work     overlayfs's; not there when changes are thrown away
 *     <layers>/base                      below the layers of all of them
 */
class DirectorySnapshotStore implements SnapshotStore {
  readonly #options: SnapshotStoreOptions;
  readonly #prepared = new Map<string, Prepared>();

  constructor(options: SnapshotStoreOptions) {
    this.#options = options;
  }

  async prepare(key: string, lower: readonly LayerRef[], options: PrepareOptions = {}): Promise<void> {
    if (lower.includes("host") && lower.length > 1) {
      throw new SampanError("unsupported", "Cannot stack layers on the machine's own root file system");
    }
    const prepared: Prepared = { lower, throwAway: options.throwAway === true || lower.includes("host") };
    const directory = this.#directory(key);
    const names = prepared.throwAway ? [] : ["upper", "work"];
    try {
      mkdirSync(directory, { recursive: true, mode: 0o710 });
      for (const name of names) mkdirSync(join(directory, name), { mode: 0o755 });
      writeFileSync(join(directory, "snapshot.json"), JSON.stringify(prepared));
    } catch (error) {
      throw storageError(`make the writable layer of container ${key}`, error);
    }
    this.#prepared.set(key, prepared);
  }

  mounts(key: string): Mount[] {
    const { lower, throwAway } = this.#find(key);
    const { layout, layers } = this.#options;
    const directory = this.#directory(key);
    const overlay = { type: "overlay", options: OPTIONS } as const;
    if (lower.includes("host")) return [{ ...overlay, ...hostLayers(layout), upper: "throw-away" }];
    const directories = lower.flatMap((layer) => (layer === "host" ? [] : layers.directory(layer))).reverse();
    const upper: OverlayMount["upper"] = throwAway
      ? "throw-away"
      : { upper: join(directory, "upper"), work: join(directory, "work") };
    return [{ ...overlay, lower: [...directories, baseOf(layout)], upper, prepared: [] }];
  }

  upper(key: string): string | undefined {
    return this.#find(key).throwAway ? undefined : join(this.#directory(key), "upper");
  }

  async usage(key: string): Promise<number> {
    const upper = this.upper(key);
    return upper === undefined ? 0 : treeSize(this.#options.executor, upper);
  }

  async remove(key: string): Promise<void> {
    this.#prepared.delete(key);
    const directory = this.#directory(key);
    for (const name of ["upper", "work"]) {
      await removeTree(this.#options.executor, join(directory, name));
    }
    unlinkIfThere(join(directory, "snapshot.json"));
  }

  #directory(key: string): string {
    return join(this.#options.layout.containers, key);
  }

  #find(key: string): Prepared {
    const known = this.#prepared.get(key);
    if (known) return known;
    try {
      const prepared: Prepared = JSON.parse(readFileSync(join(this.#directory(key), "snapshot.json"), "utf8"));
      this.#prepared.set(key, prepared);
      return prepared;
    } catch (cause) {
      throw new SampanError("not-found", `Cannot find the writable layer of container ${key}`, { cause });
    }
  }
}

/** The writable layers of the containers below `layout.containers`. */
export function openSnapshotStore(options: SnapshotStoreOptions): SnapshotStore {
  makeBase(baseOf(options.layout));
  return new DirectorySnapshotStore(options);
}

/** Among the layers, so that one directory names them all (see the runtime's mount for kernels before Linux 6.5). */
function baseOf(layout: Pick<Layout, "layers">): string {
  return join(layout.layers, "base");
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
