import type { DatabaseSync } from "node:sqlite";
import { migrate, transaction } from "../../storage/database.ts";
import type { Digest } from "../../storage/digest.ts";
import type { Blob } from "../download.ts";
import type { Garbage } from "../garbage.ts";
import type { ImageTools } from "../tools.ts";

const migrations = [
  `CREATE TABLE proxy_tag (name TEXT PRIMARY KEY, digest TEXT NOT NULL) STRICT;
   CREATE TABLE proxy_blob (digest TEXT PRIMARY KEY, size INTEGER NOT NULL, used INTEGER NOT NULL,
     stored INTEGER NOT NULL DEFAULT 0) STRICT`,
];

/** ms. What nobody has asked for in that time is fetched again when somebody does: docker's registry waits as long. */
const keepFor = 7 * 24 * 3600 * 1000;
/** ms between two notes that something is in use. */
const grain = 3600 * 1000;

interface CacheTools extends Pick<ImageTools, "records"> {
  readonly garbage: Pick<Garbage, "collect">;
}

/** What a pull-through cache has fetched, kept in the content store beside the images' blobs. */
export class ProxyCache {
  readonly #db: DatabaseSync;
  readonly #tools: CacheTools;

  constructor(db: DatabaseSync, tools: CacheTools) {
    migrate(db, "registry-proxy", migrations);
    this.#db = db;
    this.#tools = tools;
  }

  /** What a full name ("docker.io/library/debian:12") stood for when the registry was last asked. */
  tag(name: string): Digest | undefined {
    return this.#db.prepare("SELECT digest FROM proxy_tag WHERE name = ?").get(name)?.digest as Digest | undefined;
  }

  setTag(name: string, digest: Digest): void {
    this.#db.prepare("INSERT OR REPLACE INTO proxy_tag VALUES (?, ?)").run(name, digest);
  }

  /** Full names that were asked for. */
  names(): string[] {
    return this.#db
      .prepare("SELECT name FROM proxy_tag ORDER BY name")
      .all()
      .map(({ name }) => String(name));
  }

  /** The size that a manifest has promised, or that was found out. */
  sizeOf(digest: Digest): number | undefined {
    return this.#db.prepare("SELECT size FROM proxy_blob WHERE digest = ?").get(digest)?.size as number | undefined;
  }

  /** Notes sizes of blobs that will be asked for next. Of what is not here yet the manifest that was read last is believed. */
  expect(blobs: readonly Blob[], now = Date.now()): void {
    const insert = this.#db.prepare(`INSERT INTO proxy_blob (digest, size, used) VALUES (?, ?, ?)
      ON CONFLICT (digest) DO UPDATE SET size = excluded.size WHERE stored = 0`);
    transaction(this.#db, () => {
      for (const { digest, size } of blobs) insert.run(digest, size, now);
    });
  }

  /** A size that somebody's manifest has promised may be wrong: the registry is asked next time. */
  doubt(digest: Digest): void {
    this.#db.prepare("DELETE FROM proxy_blob WHERE digest = ? AND stored = 0").run(digest);
  }

  /** From now on the blob, which is in the content store, stays there. */
  keep({ digest, size }: Blob, now = Date.now()): void {
    const sql = `INSERT INTO proxy_blob VALUES (?, ?, ?, 1)
      ON CONFLICT (digest) DO UPDATE SET size = excluded.size, used = excluded.used, stored = 1`;
    this.#tools.records.keep(keeperOf(digest), [digest], []);
    this.#db.prepare(sql).run(digest, size, now);
  }

  /** Notes that somebody wanted it. */
  touch(digest: Digest, now = Date.now()): void {
    this.#db.prepare("UPDATE proxy_blob SET used = ? WHERE digest = ? AND used < ?").run(now, digest, now - grain);
  }

  /** Gives up what nobody has wanted for a week; what images need stays for them. */
  async expire(now = Date.now()): Promise<void> {
    const old = this.#db.prepare("SELECT digest, stored FROM proxy_blob WHERE used < ?").all(now - keepFor);
    const unused: Digest[] = [];
    // All at once, before anything is waited for: what is fetched again meanwhile is written down anew.
    for (const row of old) {
      const digest = row.digest as Digest;
      if (row.stored === 1) unused.push(...this.#tools.records.unkeep(keeperOf(digest)).blobs);
      this.#db.prepare("DELETE FROM proxy_blob WHERE digest = ?").run(digest);
      this.#db.prepare("DELETE FROM proxy_tag WHERE digest = ?").run(digest);
    }
    await this.#tools.garbage.collect(unused, []);
  }
}

function keeperOf(digest: Digest): string {
  return `registry proxy ${digest}`;
}
