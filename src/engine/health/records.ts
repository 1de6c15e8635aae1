import type { DatabaseSync, StatementSync } from "node:sqlite";
import { migrate, transaction } from "../../storage/database.ts";
import type { HealthResult } from "../types.ts";

const schema = [
  `CREATE TABLE container_health (
     id TEXT PRIMARY KEY REFERENCES container (id) ON DELETE CASCADE,
     record TEXT NOT NULL
   ) STRICT, WITHOUT ROWID`,
];

/** What probes have found, besides the status, which is part of the container's state. */
export interface HealthRecord {
  readonly failingStreak: number;
  /** The last results, oldest first. */
  readonly log: readonly HealthResult[];
}

/** Milliseconds for which results wait for others: one transaction writes those of all containers. */
const patience = 2000;

/** Keeps results for a daemon that comes after this one. A daemon that is killed takes the last two seconds' with it. */
export class HealthRecords {
  readonly #db: DatabaseSync;
  readonly #put: StatementSync;
  readonly #changed = new Map<string, HealthRecord>();
  readonly #complain: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;

  /** `complain` is told what hinders writing. */
  constructor(db: DatabaseSync, complain: (error: unknown) => void) {
    this.#db = db;
    this.#complain = complain;
    migrate(db, "health", schema);
    this.#put = db.prepare(
      `INSERT INTO container_health (id, record) SELECT id, ? FROM container WHERE id = ?
       ON CONFLICT (id) DO UPDATE SET record = excluded.record`,
    );
  }

  all(): Map<string, HealthRecord> {
    const rows = this.#db.prepare("SELECT id, record FROM container_health").all();
    return new Map(rows.map(({ id, record }) => [String(id), JSON.parse(String(record)) as HealthRecord]));
  }

  note(id: string, record: HealthRecord): void {
    this.#changed.set(id, record);
    this.#timer ??= setTimeout(() => this.flush(), patience).unref();
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#changed.size === 0) return;
    try {
      transaction(this.#db, () => {
        for (const [id, record] of this.#changed) this.#put.run(JSON.stringify(record), id);
      });
      this.#changed.clear();
    } catch (error) {
      this.#complain(error);
    }
  }
}
