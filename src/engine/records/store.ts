import type { DatabaseSync, StatementSync } from "node:sqlite";
import { migrate, withRoom } from "../../storage/database.ts";
import { syncAhead } from "../../storage/sync-ahead.ts";
import { decode, encode } from "./json.ts";
import { type ContainerRecord, newborn, type RecordedState } from "./record.ts";

const schema = [
  `CREATE TABLE container (
     id TEXT PRIMARY KEY,
     name TEXT NOT NULL UNIQUE,
     image TEXT NOT NULL,
     record TEXT NOT NULL,
     state TEXT NOT NULL
   ) STRICT, WITHOUT ROWID`,
  // Apart, for a record fills pages that a change of state would all write again.
  `CREATE TABLE container_state (
     id TEXT PRIMARY KEY REFERENCES container (id) ON DELETE CASCADE,
     state TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   INSERT INTO container_state SELECT id, state FROM container;
   ALTER TABLE container DROP COLUMN state`,
];

export interface StoredContainer {
  readonly record: ContainerRecord;
  readonly state: RecordedState;
}

/** The table of containers. Each change is one statement, hence one transaction. A newborn has no state yet. */
export class ContainerTable {
  readonly #db: DatabaseSync;
  readonly #all: StatementSync;
  readonly #insert: StatementSync;
  readonly #state: StatementSync;
  readonly #record: StatementSync;
  readonly #delete: StatementSync;
  readonly #prefix: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    migrate(db, "containers", schema);
    this.#all = db.prepare("SELECT record, state FROM container LEFT JOIN container_state USING (id)");
    this.#insert = db.prepare("INSERT INTO container (id, name, image, record) VALUES (?, ?, ?, ?)");
    this.#state = db.prepare(
      "INSERT INTO container_state (state, id) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state",
    );
    this.#record = db.prepare("UPDATE container SET name = ?, record = ? WHERE id = ?");
    this.#delete = db.prepare("DELETE FROM container WHERE id = ?");
    this.#prefix = db.prepare("SELECT id FROM container WHERE id >= ? AND id < ? LIMIT 2");
  }

  all(): StoredContainer[] {
    return this.#all.all().map((row) => ({
      record: decode<ContainerRecord>(String(row.record)),
      state: typeof row.state === "string" ? decode<RecordedState>(row.state) : newborn,
    }));
  }

  insert(record: ContainerRecord): void {
    this.#insert.run(record.id, record.name, record.imageId, encode(record));
  }

  writeState(id: string, state: RecordedState): void {
    withRoom(this.#db, () => this.#state.run(encode(state), id));
  }

  /** Its log, and what was the log a moment ago, are brought to the disk before. */
  writeExit(id: string, state: RecordedState, log: string): void {
    for (const path of [log, `${log}.1`]) syncAhead(this.#db, path);
    this.writeState(id, state);
  }

  writeRecord(record: ContainerRecord): void {
    this.#record.run(record.name, encode(record), record.id);
  }

  delete(id: string): void {
    withRoom(this.#db, () => this.#delete.run(id));
  }

  /** At most two ids that begin with `prefix`, hex digits: enough to tell none, one and many. */
  withPrefix(prefix: string): string[] {
    return this.#prefix.all(prefix, `${prefix}g`).map((row) => String(row.id));
  }
}
