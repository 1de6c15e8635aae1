import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { Executor } from "../../kernel/executor.ts";
import { storageError } from "../../storage/content/errors.ts";
import { treeSize } from "../../storage/snapshots/usage.ts";
import { removeTree } from "../../storage/unpack/remove-tree.ts";
import { isFullId } from "../identity/ids.ts";
import { nowNs } from "../time.ts";
import { VolumeMounts } from "./mounts.ts";
import { VolumeTable } from "./store.ts";
import type { VolumeRecord } from "./types.ts";

/** What a volume that nobody named carries, as with dockerd. */
export const anonymousLabel = "com.docker.volume.anonymous";

type Settings = Partial<Pick<VolumeRecord, "labels" | "options">>;

/**
 * Directories that outlive containers: volumes/<name>/_data, as Docker lays them out. A volume that is being removed is
 * renamed to volumes/.remove-<random> first, so that its name is free and nobody sees half of it.
 */
export class Volumes {
  /** Those that are something else than a plain directory. */
  readonly mounts: VolumeMounts;
  readonly #root: string;
  readonly #executor: Executor;
  readonly #table: VolumeTable;
  readonly #records = new Map<string, VolumeRecord>();
  /** How many containers are being made with it. */
  readonly #pins = new Map<string, number>();

  constructor(root: string, { db, executor }: { readonly db: DatabaseSync; readonly executor: Executor }) {
    this.#root = root;
    this.#executor = executor;
    this.#table = new VolumeTable(db);
    this.mounts = new VolumeMounts(executor, (name) => this.directory(name));
    const { volumes, doomed } = this.#table.all();
    for (const volume of volumes) this.#records.set(volume.name, volume);
    for (const name of doomed) this.#setAside(name);
    this.#adopt();
  }

  directory(name: string): string {
    return join(this.#root, name, "_data");
  }

  list(): VolumeRecord[] {
    return [...this.#records.values()];
  }

  find(name: string): VolumeRecord | undefined {
    return this.#records.get(name);
  }

  /** Makes the volume when there is none; tells whether it did. */
  ensure(name: string, anonymous: boolean, settings: Settings = {}): boolean {
    const directory = this.directory(name);
    const known = this.#records.get(name);
    if (known !== undefined && existsSync(directory)) return false;
    const { labels = {}, options = {} } = settings;
    const all = anonymous ? { [anonymousLabel]: "", ...labels } : labels;
    const record = known ?? { name, anonymous, createdAt: nowNs(), labels: all, options };
    try {
      // The row first: a directory without one is taken for somebody's data after a crash.
      if (known === undefined) this.#table.insert(record);
      mkdirSync(directory, { recursive: true, mode: 0o755 });
    } catch (cause) {
      if (known === undefined) this.#table.delete(name);
      throw storageError(`make volume ${name}`, cause);
    }
    this.#records.set(name, record);
    return known === undefined;
  }

  /** Keeps volumes for a container that is being made. */
  pin(names: readonly string[]): Disposable {
    for (const name of names) this.#pins.set(name, (this.#pins.get(name) ?? 0) + 1);
    return {
      [Symbol.dispose]: () => {
        for (const name of names) {
          const left = (this.#pins.get(name) ?? 1) - 1;
          if (left > 0) this.#pins.set(name, left);
          else this.#pins.delete(name);
        }
      },
    };
  }

  isPinned(name: string): boolean {
    return this.#pins.has(name);
  }

  /** Bytes of the files in it. */
  size(name: string): Promise<number> {
    return existsSync(this.directory(name)) ? treeSize(this.#executor, this.directory(name)) : Promise.resolve(0);
  }

  /** Removes the volume with all that is in it. One that is not here is no error. */
  async remove(name: string): Promise<void> {
    if (!this.#records.has(name)) return;
    // Nothing is waited for unless it must be: nobody can begin to use it meanwhile.
    if (this.mounts.isUsed(name)) await this.mounts.leave(name);
    this.#records.delete(name);
    this.#table.doom(name);
    const aside = this.#setAside(name);
    if (aside !== undefined) await removeTree(this.#executor, aside);
  }

  /**
   * A row without a directory is what a crash leaves of a volume that was just being made, and a loss of power of one that
   * was removed: it goes unless a container has it. At the start.
   */
  settle(used: ReadonlySet<string>): void {
    for (const { name, anonymous } of this.list()) {
      if (existsSync(this.directory(name))) continue;
      if (used.has(name)) this.ensure(name, anonymous);
      else {
        this.#records.delete(name);
        this.#setAside(name);
      }
    }
  }

  /** Removes what a crash has left of removals. At the start. */
  async sweep(): Promise<void> {
    if (!existsSync(this.#root)) return;
    for (const name of readdirSync(this.#root)) {
      if (name.startsWith(".remove-")) await removeTree(this.#executor, join(this.#root, name));
    }
  }

  /** The directory gets another name, and then the row goes: the name can be used again. */
  #setAside(name: string): string | undefined {
    const aside = join(this.#root, `.remove-${randomBytes(8).toString("hex")}`);
    const there = existsSync(join(this.#root, name));
    if (there) renameSync(join(this.#root, name), aside);
    this.#table.delete(name);
    return there ? aside : undefined;
  }

  /** Directories without a row: a crash came between the two, or the database is new. What is in them is somebody's. */
  #adopt(): void {
    if (!existsSync(this.#root)) return;
    for (const name of readdirSync(this.#root)) {
      if (name.startsWith(".") || this.#records.has(name) || !existsSync(this.directory(name))) continue;
      const anonymous = isFullId(name);
      const labels: Record<string, string> = anonymous ? { [anonymousLabel]: "" } : {};
      const record: VolumeRecord = { name, anonymous, createdAt: nowNs(), labels, options: {} };
      this.#table.insert(record);
      this.#records.set(name, record);
    }
  }
}
