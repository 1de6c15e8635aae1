import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { messageOf, SampanError } from "../../errors/index.ts";
import type { Layout } from "../../storage/layout.ts";

/** ms. How long a daemon that is just leaving, and has taken its socket away, may take. */
const patience = 5000;

/**
 * Makes this process the only daemon of a root, until the returned function is called or the process dies, however it
 * dies. SQLite is what locks files for Node: an exclusive transaction on an empty database is a record lock of the
 * kernel's, which needs no stale pid to be believed or not.
 */
export function takeRoot(layout: Layout): () => void {
  const lock = openLock(join(layout.root, "daemon.lock"), existsSync(layout.apiSocket) ? 0 : patience);
  try {
    lock.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (cause) {
    lock.close();
    throw new SampanError(
      "conflict",
      `Cannot start a daemon for ${layout.root}: another one${holder(layout)} is using it (${messageOf(cause)})`,
      { cause },
    );
  }
  writeFileSync(layout.pidFile, `${process.pid}\n`);
  return () => {
    rmSync(layout.pidFile, { force: true });
    lock.close();
  };
}

function openLock(path: string, timeout: number): DatabaseSync {
  try {
    return new DatabaseSync(path, { timeout });
  } catch (cause) {
    throw new SampanError("internal", `Cannot open ${path}: ${messageOf(cause)}`, { cause });
  }
}

function holder({ pidFile }: Layout): string {
  try {
    return ` with pid ${readFileSync(pidFile, "utf8").trim()}`;
  } catch {
    return "";
  }
}
