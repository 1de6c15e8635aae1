import type { DatabaseSync, StatementSync } from "node:sqlite";
import { migrate, withRoom } from "../../storage/database.ts";
import type { VolumeRecord } from "./types.ts";

/** Append-only: see `migrate`. */
const schema = [
  `CREATE TABLE volume (
     name TEXT PRIMARY KEY,
     anonymous INTEGER NOT NULL,
     created_at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID`,
  `ALTER TABLE volume ADD COLUMN labels TEXT NOT NULL DEFAULT '{}';
   ALTER TABLE volume ADD COLUMN options TEXT NOT NULL DEFAULT '{}';
   ALTER TABLE volume ADD COLUMN removing INTEGER NOT NULL DEFAULT 0`,
];

/** The table of volumes. Each change is one statement, hence one transaction. */
export class VolumeTable {
  readonly #db: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #doom: StatementSync;
  readonly #delete: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    migrate(db, "volumes", schema);
    this.#insert = db.prepare(
      "INSERT OR REPLACE INTO volume (name, anonymous, created_at, labels, options, removing) VALUES (?, ?, ?, ?, ?, 0)",
    );
    this.#doom = db.prepare("UPDATE volume SET removing = 1 WHERE name = ?");
    this.#delete = db.prepare("DELETE FROM volume WHERE name = ?");
  }

  /** All that are here, and the names of those whose removal was begun. */
  all(): { readonly volumes: VolumeRecord[]; readonly doomed: string[] } {
    const query = this.#db.prepare("SELECT * FROM volume");
    query.setReadBigInts(true);
    const rows = query.all();
    return {
      volumes: rows.filter(({ removing }) => removing === 0n).map(recordOf),
      doomed: rows.filter(({ removing }) => removing !== 0n).map(({ name }) => String(name)),
    };
  }

  insert({ name, anonymous, createdAt, labels, options }: VolumeRecord): void {
    this.#insert.run(name, anonymous ? 1 : 0, createdAt, JSON.stringify(labels), JSON.stringify(options));
  }

  /** From now on it is not here; its directory still may be. */
  doom(name: string): void {
    withRoom(this.#db, () => this.#doom.run(name));
  }

  delete(name: string): void {
    withRoom(this.#db, () => this.#delete.run(name));
  }
}

function recordOf(row: Record<string, unknown>): VolumeRecord {
  return {
    name: String(row.name),
    anonymous: row.anonymous !== 0n,
    createdAt: BigInt(String(row.created_at)),
    labels: JSON.parse(String(row.labels)),
    options: JSON.parse(String(row.options)),
  };
}
