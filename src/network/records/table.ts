import type { DatabaseSync, StatementSync } from "node:sqlite";
import { migrate, withRoom } from "../../storage/database.ts";
import type { NetworkRecord } from "../types.ts";

/** Append-only: see `migrate`. */
const schema = [
  `CREATE TABLE network (
     id TEXT PRIMARY KEY,
     name TEXT NOT NULL UNIQUE,
     record TEXT NOT NULL
   ) STRICT, WITHOUT ROWID`,
];

/** The table of networks. Each change is one statement, hence one transaction. */
export class NetworkTable {
  readonly #db: DatabaseSync;
  readonly #all: StatementSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    migrate(db, "networks", schema);
    this.#all = db.prepare("SELECT record FROM network");
    this.#put = db.prepare(
      "INSERT INTO network (id, name, record) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record",
    );
    this.#delete = db.prepare("DELETE FROM network WHERE id = ?");
  }

  all(): NetworkRecord[] {
    return this.#all.all().map(({ record }) => JSON.parse(String(record)) as NetworkRecord);
  }

  put(record: NetworkRecord): void {
    this.#put.run(record.id, record.name, JSON.stringify(record));
  }

  delete(id: string): void {
    withRoom(this.#db, () => this.#delete.run(id));
  }
}
