import { createHash, randomBytes } from "node:crypto";
import { existsSync, renameSync } from "node:fs";
import { chmod, chown, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Slots } from "../../images/slots.ts";
import { treeSize } from "../../storage/snapshots/usage.ts";
import { removeTree } from "../../storage/unpack/remove-tree.ts";
import type { WorkParts } from "../parts.ts";
import type { PlannedMount } from "../plan/types.ts";
import { scratchDirectory } from "../scratch.ts";
import type { CacheRecords } from "./records.ts";

type CacheMount = Extract<PlannedMount, { type: "cache" }>;

/** Makes what a new directory begins with, and answers whose it then is where that is not the mount's to say. */
export type FillMount = (directory: string) => Promise<Pick<CacheMount, "mode" | "uid" | "gid"> | undefined>;

/** A cache directory, in use until it is let go of. */
export interface HeldMount {
  readonly directory: string;
  release(): Promise<void>;
}

/** The directories of `RUN --mount=type=cache`, which outlive builds. */
export class CacheMounts {
  readonly #parts: WorkParts;
  readonly #records: CacheRecords;
  readonly #locks = new Map<string, Slots>();
  /** How many steps use a directory, by its record's id. */
  readonly #users = new Map<string, number>();
  /** Directories that are being made, by id. */
  readonly #making = new Map<string, Promise<void>>();

  constructor(parts: WorkParts, records: CacheRecords) {
    this.#parts = parts;
    this.#records = records;
  }

  isUsed(id: string): boolean {
    return this.#users.has(id);
  }

  /** What an id is called in lists: ids may be any text. */
  nameOf(id: string): string {
    return createHash("sha256").update(id).digest("hex");
  }

  /** The directory of a mount: shared with others, alone after waiting (`locked`), or one that nobody else uses (`private`). */
  async take(mount: CacheMount, signal: AbortSignal, fill: FillMount): Promise<HeldMount> {
    const unlock = mount.sharing === "locked" ? await this.#lock(mount.id, signal) : undefined;
    const id = mount.sharing === "private" ? this.#freeId(mount.id) : mount.id;
    const letGo = this.#use(id);
    const release = async () => {
      try {
        await this.#note(id);
      } finally {
        letGo();
        unlock?.();
      }
    };
    try {
      return { directory: await this.#directory(id, mount, fill), release };
    } catch (error) {
      await release();
      throw error;
    }
  }

  /**
   * The directory of a mount for who only reads it, where there is one: a locked one when nobody else has it, of private ones
   * one that nobody uses.
   */
  async look(mount: CacheMount, signal: AbortSignal): Promise<{ directory: string; release(): void } | undefined> {
    const unlock = mount.sharing === "locked" ? await this.#lock(mount.id, signal) : undefined;
    const id = mount.sharing === "private" ? this.#freeId(mount.id) : mount.id;
    if (!this.#isThere(id)) {
      unlock?.();
      return undefined;
    }
    const letGo = this.#use(id);
    const release = () => {
      letGo();
      unlock?.();
    };
    return { directory: this.#pathOf(id), release };
  }

  /** Removes a directory, and answers whether it has: not when somebody uses it. */
  async remove(name: string): Promise<boolean> {
    const { layout, executor } = this.#parts;
    await mkdir(scratchDirectory(layout), { recursive: true });
    const id = this.#records.mounts().find((record) => this.nameOf(record.id) === name)?.id;
    if (id === undefined || this.isUsed(id)) return false;
    // At once out of the way of who wants a new one of that id.
    const gone = join(scratchDirectory(layout), scratchName());
    if (existsSync(this.#pathOf(id))) renameSync(this.#pathOf(id), gone);
    this.#records.deleteMount(id);
    await removeTree(executor, gone);
    return true;
  }

  /** Counts as used until the answer is called. */
  #use(id: string): () => void {
    this.#users.set(id, (this.#users.get(id) ?? 0) + 1);
    return () => {
      const left = (this.#users.get(id) ?? 1) - 1;
      if (left === 0) this.#users.delete(id);
      else this.#users.set(id, left);
    };
  }

  #isThere(id: string): boolean {
    return this.#records.mounts().some((record) => record.id === id) && existsSync(this.#pathOf(id));
  }

  #lock(id: string, signal: AbortSignal): Promise<() => void> {
    const slots = this.#locks.get(id) ?? new Slots(1);
    this.#locks.set(id, slots);
    return slots.take(signal);
  }

  #freeId(id: string): string {
    for (let number = 0; ; number++) {
      const candidate = number === 0 ? id : `${id}#${number}`;
      if (!this.#users.has(candidate)) return candidate;
    }
  }

  /** Several may want a new one at the same time: the first makes it, or the next who is left when it cannot. */
  async #directory(id: string, mount: CacheMount, fill: FillMount): Promise<string> {
    const directory = this.#pathOf(id);
    for (let making = this.#making.get(id); making !== undefined; making = this.#making.get(id))
      await making.catch(() => undefined);
    if (this.#records.mounts().some((record) => record.id === id)) {
      await mkdir(directory, { recursive: true });
      return directory;
    }
    const making = this.#make(directory, mount, fill);
    this.#making.set(id, making);
    try {
      await making;
      this.#records.noteMount(id, directory, 0, Date.now());
    } finally {
      this.#making.delete(id);
    }
    return directory;
  }

  async #make(directory: string, mount: CacheMount, fill: FillMount): Promise<void> {
    const { executor } = this.#parts;
    // What a crash has left is of nobody.
    await removeTree(executor, directory);
    await mkdir(directory, { recursive: true });
    try {
      const { mode, uid, gid } = (await fill(directory)) ?? mount;
      await chown(directory, uid, gid);
      await chmod(directory, mode);
    } catch (error) {
      await removeTree(executor, directory);
      throw error;
    }
  }

  async #note(id: string): Promise<void> {
    const directory = this.#pathOf(id);
    const size = await treeSize(this.#parts.executor, directory).catch(() => 0);
    this.#records.noteMount(id, directory, size, Date.now());
  }

  #pathOf(id: string): string {
    return join(this.#parts.layout.root, "build", "mounts", this.nameOf(id));
  }
}

/** A name nobody else has. */
export function scratchName(): string {
  return randomBytes(12).toString("hex");
}
