import { open } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { SampanError } from "../errors/index.ts";
import { flushAhead } from "./sync-ahead.ts";

/**
 * Opens (and makes) the state database. WAL with synchronous=NORMAL: after a power cut the last transactions may be
 * missing, but the file is never torn (see `syncDatabase`). A lock held by another process is waited for, 5 s at most. The
 * whole file is looked through, it is small: a damaged one is refused, and nothing is changed.
 */
export function openDatabase(path: string): DatabaseSync {
  try {
    const db = new DatabaseSync(path, { enableForeignKeyConstraints: true, timeout: 5000 });
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    refuseDamaged(db);
    db.exec("CREATE TABLE IF NOT EXISTS area (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT");
    keepRoom(db);
    return db;
  } catch (cause) {
    const remedy = `Put a copy back, or save what can be read by: sqlite3 ${path} .recover`;
    throw new SampanError("internal", `Cannot open the state database ${path}: ${describe(cause)}. ${remedy}`, {
      cause,
    });
  }
}

function refuseDamaged(db: DatabaseSync): void {
  const found = db.prepare("PRAGMA quick_check(1)").get();
  if (found?.quick_check === "ok") return;
  db.close();
  const fault = String(found?.quick_check).split("\n").at(-1); // after a line that tells which database
  throw new SampanError("internal", `it is damaged: ${fault}`);
}

/** Whether nothing was ever kept in it. To be asked before `migrate`. */
export function isNewDatabase(db: DatabaseSync): boolean {
  return db.prepare("SELECT 1 FROM area LIMIT 1").get() === undefined;
}

/**
 * Makes all changes so far survive a loss of power. Needed before files are deleted that a change has made superfluous: the
 * file system may have written that down long before the log of changes goes to the disk by itself. Blocks nobody.
 */
export async function syncDatabase(db: DatabaseSync): Promise<void> {
  await flushAhead(db);
  const log = await open(`${db.location()}-wal`);
  try {
    await log.datasync();
  } finally {
    await log.close();
  }
}

/**
 * Brings one area's tables up to date: runs the statements that were not yet run here, all or none. `statements` is
 * append-only: what has been released is never edited. A database written by a newer Sampan is refused.
 */
export function migrate(db: DatabaseSync, area: string, statements: readonly string[]): void {
  transaction(db, () => {
    const row = db.prepare("SELECT version FROM area WHERE name = ?").get(area);
    const done = Number(row?.version ?? 0);
    if (done > statements.length) {
      const wanted = `this Sampan knows version ${statements.length}; use the newer Sampan or another root`;
      throw new SampanError(
        "unsupported",
        `Cannot use the state database: its ${area} are of version ${done}, ${wanted}`,
      );
    }
    for (const statement of statements.slice(done)) db.exec(statement);
    db.prepare("INSERT OR REPLACE INTO area (name, version) VALUES (?, ?)").run(area, statements.length);
  });
}

/**
 * Runs `change` in one transaction: committed when it returns, rolled back when it throws. Inside another transaction
 * it is part of that one. `change` must not be async: the connection is shared.
 */
export function transaction<T>(db: DatabaseSync, change: () => T): T {
  if (db.isTransaction) return change();
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = change();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    // SQLite has rolled back by itself after some errors (a full disk).
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

const SQLITE_FULL = 13;
const roomBytes = 256 * 1024;

/**
 * Gives the file free pages and its log some length, so that `withRoom` finds room when the disk is full later. Two
 * transactions, for pages that are freed in the one that took them are never written.
 */
function keepRoom(db: DatabaseSync): void {
  try {
    db.exec(`CREATE TABLE IF NOT EXISTS room (bytes BLOB) STRICT; INSERT INTO room VALUES (zeroblob(${roomBytes}))`);
  } catch (error) {
    if (!isFull(error)) throw error;
  }
  db.exec("DROP TABLE IF EXISTS room; PRAGMA wal_checkpoint(RESTART)");
}

/**
 * Runs a change that has to be possible on a full disk, too: what removes things or tells how they ended. When the log
 * of changes cannot grow, what is in it goes to the database and the log is used again from its beginning.
 */
export function withRoom<T>(db: DatabaseSync, change: () => T): T {
  if (db.isTransaction) return change();
  try {
    return change();
  } catch (error) {
    if (!isFull(error)) throw error;
    db.exec("PRAGMA wal_checkpoint(RESTART)");
    return change();
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === SQLITE_FULL;
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
