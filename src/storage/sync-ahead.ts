import { open } from "node:fs/promises";
import type { DatabaseSync } from "node:sqlite";

/** How long (ms) files wait to be brought to the disk together; many are deleted before. */
const patience = 1000;

class Ahead {
  readonly #waiting = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();

  add(path: string): void {
    this.#waiting.add(path);
    this.#timer ??= setTimeout(() => void this.flush(), patience).unref();
  }

  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const paths = [...this.#waiting];
    this.#waiting.clear();
    this.#flushing = Promise.all([this.#flushing, ...paths.map(syncIfThere)]).then(() => undefined);
    return this.#flushing;
  }
}

const all = new WeakMap<DatabaseSync, Ahead>();

/**
 * Brings a file to the disk soon, and in any case before `syncDatabase` does so with what the database says of it: of a
 * container whose end survives a loss of power, the last lines do, too. Nobody waits for it.
 */
export function syncAhead(db: DatabaseSync, path: string): void {
  const ahead = all.get(db) ?? new Ahead();
  all.set(db, ahead);
  ahead.add(path);
}

/** Resolves when all that `syncAhead` was told is on the disk. */
export async function flushAhead(db: DatabaseSync): Promise<void> {
  await all.get(db)?.flush();
}

/** A file that has been deleted needs no disk, and a disk that fails is told by what matters: the database's own sync. */
async function syncIfThere(path: string): Promise<void> {
  try {
    await using file = await open(path);
    await file.datasync();
  } catch {
    // see above
  }
}
