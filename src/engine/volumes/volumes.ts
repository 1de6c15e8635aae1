import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Executor } from "../../kernel/executor.ts";
import { migrate } from "../../storage/database.ts";
import { removeTree } from "../../storage/unpack/remove-tree.ts";
import { nowNs } from "../time.ts";

const schema = [
  `CREATE TABLE volume (
     name TEXT PRIMARY KEY,
     anonymous INTEGER NOT NULL,
     created_at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID`,
];

/** Directories that outlive containers: volumes/<name>/_data, as Docker lays them out. */
export class Volumes {
  readonly #root: string;
  readonly #executor: Executor;
  readonly #insert: StatementSync;
  readonly #delete: StatementSync;

  constructor(root: string, { db, executor }: { readonly db: DatabaseSync; readonly executor: Executor }) {
    migrate(db, "volumes", schema);
    this.#root = root;
    this.#executor = executor;
    this.#insert = db.prepare("INSERT OR IGNORE INTO volume (name, anonymous, created_at) VALUES (?, ?, ?)");
    this.#delete = db.prepare("DELETE FROM volume WHERE name = ?");
  }

  directory(name: string): string {
    return join(this.#root, name, "_data");
  }

  /** Makes the volume when there is none; tells whether it did. */
  ensure(name: string, anonymous: boolean): boolean {
    const directory = this.directory(name);
    if (existsSync(directory)) return false;
    this.#insert.run(name, anonymous ? 1 : 0, nowNs());
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    return true;
  }

  /** Removes the volume with all that is in it. One that is not here is no error. */
  async remove(name: string): Promise<void> {
    this.#delete.run(name);
    await removeTree(this.#executor, join(this.#root, name));
  }
}
