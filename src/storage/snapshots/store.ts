import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { SampanError } from "../../errors/index.ts";
import type { Executor } from "../../kernel/executor.ts";
import { storageError } from "../content/errors.ts";
import type { LayerStore } from "../layers/types.ts";
import type { Layout } from "../layout.ts";
import type { ProjectQuotas } from "../quota/projects.ts";
import { removeTree } from "../unpack/remove-tree.ts";
import { makeBase } from "./base.ts";
import { hostLayers } from "./host.ts";
import type { LayerRef, Mount, SnapshotStore } from "./types.ts";
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

/** Bytes. XFS wants several hundred KiB to be free before it makes a directory: as many as that may take at worst. */
const ROOM = 2 * 1024 * 1024;

/**
 *     <containers>/<key>/upper, work     overlayfs's; not there on "host", where changes are thrown away
 *     <layers>/base                      below the layers of all of them
 *
 * What a snapshot stands on is its container's to remember.
 */
class DirectorySnapshotStore implements SnapshotStore {
  readonly #options: SnapshotStoreOptions;
  #quotas: Promise<ProjectQuotas> | undefined;

  constructor(options: SnapshotStoreOptions) {
    this.#options = options;
  }

  async prepare(key: string, lower: readonly LayerRef[], limit?: number): Promise<void> {
    const onHost = lower.includes("host");
    if (onHost && lower.length > 1) {
      throw new SampanError("unsupported", "Cannot stack layers on the machine's own root file system");
    }
    const directory = this.#directory(key);
    try {
      if (!existsSync(directory)) mkdirSync(directory, { recursive: true, mode: 0o710 });
      for (const name of onHost ? [] : ["upper", "work"]) mkdirSync(join(directory, name), { mode: 0o755 });
    } catch (error) {
      throw storageError(`make the writable layer of container ${key}`, error);
    }
    if (limit === undefined) return;
    const quotas = await this.#limits();
    await quotas.limit([join(directory, "upper"), join(directory, "work")], limit);
  }

  mounts(key: string, lower: readonly LayerRef[], { bare } = { bare: false }): Mount[] {
    const { layout, layers } = this.#options;
    const directory = this.#directory(key);
    const overlay = { type: "overlay", options: OPTIONS } as const;
    if (lower.includes("host")) return [{ ...overlay, ...hostLayers(layout), upper: "throw-away" }];
    const directories = lower.flatMap((layer) => (layer === "host" ? [] : layers.directory(layer))).reverse();
    const upper = { upper: join(directory, "upper"), work: join(directory, "work") };
    return [{ ...overlay, lower: bare ? directories : [...directories, baseOf(layout)], upper, prepared: [] }];
  }

  upper(key: string): string {
    return join(this.#directory(key), "upper");
  }

  async usage(key: string): Promise<number> {
    const upper = join(this.#directory(key), "upper");
    return existsSync(upper) ? treeSize(this.#options.executor, upper) : 0;
  }

  async remove(key: string, { limited } = { limited: false }): Promise<void> {
    const directory = this.#directory(key);
    const quotas = limited ? await this.#limits() : undefined;
    const project = await quotas?.projectOf(join(directory, "upper"));
    for (const name of ["upper", "work"]) {
      await removeTree(this.#options.executor, join(directory, name));
    }
    if (project !== undefined) await quotas?.change(project, 0);
  }

  async withRoom<T>(key: string, limit: number, action: () => Promise<T>): Promise<T> {
    const quotas = await this.#limits();
    const project = await quotas.projectOf(this.upper(key));
    if (project === undefined || limit - (await quotas.used(project)) >= ROOM) return action();
    await quotas.change(project, limit + ROOM);
    try {
      return await action();
    } finally {
      await quotas.change(project, limit);
    }
  }

  #limits(): Promise<ProjectQuotas> {
    const { executor, layout } = this.#options;
    this.#quotas ??= import("../quota/projects.ts").then(
      ({ ProjectQuotas }) => new ProjectQuotas({ executor, directory: layout.containers }),
    );
    return this.#quotas;
  }

  #directory(key: string): string {
    return join(this.#options.layout.containers, key);
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
