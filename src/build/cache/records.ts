import type { DatabaseSync } from "node:sqlite";
import { migrate, transaction, withRoom } from "../../storage/database.ts";
import type { DiffId, Digest } from "../../storage/digest.ts";
import type { BuiltLayer } from "../solve/stack.ts";

/** Append-only: see `migrate`. */
const migrations = [
  `CREATE TABLE build_cache (
     key TEXT PRIMARY KEY, kind TEXT NOT NULL, description TEXT NOT NULL, parent TEXT NOT NULL, chain TEXT NOT NULL,
     diff_id TEXT NOT NULL, digest TEXT NOT NULL, blob_size INTEGER NOT NULL, media_type TEXT NOT NULL,
     size INTEGER NOT NULL, created INTEGER NOT NULL, used INTEGER NOT NULL, uses INTEGER NOT NULL) STRICT;
   CREATE TABLE build_mount (
     id TEXT PRIMARY KEY, directory TEXT NOT NULL, size INTEGER NOT NULL,
     created INTEGER NOT NULL, used INTEGER NOT NULL, uses INTEGER NOT NULL) STRICT;
   CREATE TABLE build_hash (
     tree TEXT NOT NULL, selection TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (tree, selection)) STRICT`,
];

export type CacheKind = "run" | "copy" | "workdir";

/** The result of a step that was carried out once. Times are milliseconds since 1970. */
export interface CacheRecord {
  /** What the step is and what it worked on, hashed. */
  readonly key: string;
  readonly kind: CacheKind;
  readonly description: string;
  /** The chain id it stands on; "" is nothing. */
  readonly parent: string;
  /** The chain id it makes. */
  readonly chain: string;
  readonly layer: BuiltLayer;
  /** Unpacked bytes. */
  readonly size: number;
  readonly created: number;
  readonly used: number;
  readonly uses: number;
}

/** A directory that `RUN --mount=type=cache` keeps. */
export interface MountRecord {
  readonly id: string;
  readonly directory: string;
  readonly size: number;
  readonly created: number;
  readonly used: number;
  readonly uses: number;
}

/** The build cache's rows in the state database. */
export class CacheRecords {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    migrate(db, "build", migrations);
    this.#db = db;
  }

  /** All or nothing of several changes. */
  change<T>(changes: () => T): T {
    return withRoom(this.#db, () => transaction(this.#db, changes));
  }

  find(key: string): CacheRecord | undefined {
    const row = this.#db.prepare("SELECT * FROM build_cache WHERE key = ?").get(key);
    return row === undefined ? undefined : recordOf(row);
  }

  all(): CacheRecord[] {
    return this.#db.prepare("SELECT * FROM build_cache ORDER BY used DESC, key").all().map(recordOf);
  }

  insert({ key, kind, description, parent, chain, layer, size, created }: Omit<CacheRecord, "used" | "uses">): void {
    const { diffId, digest, size: blobSize, mediaType } = layer;
    this.#db
      .prepare("INSERT OR REPLACE INTO build_cache VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)")
      .run(key, kind, description, parent, chain, diffId, digest, blobSize, mediaType, size, created, created);
  }

  touch(keys: readonly string[], now: number): void {
    this.change(() => {
      for (const key of keys)
        this.#db.prepare("UPDATE build_cache SET used = ?, uses = uses + 1 WHERE key = ?").run(now, key);
    });
  }

  delete(key: string): void {
    this.#db.prepare("DELETE FROM build_cache WHERE key = ?").run(key);
  }

  mounts(): MountRecord[] {
    return this.#db.prepare("SELECT * FROM build_mount ORDER BY used DESC, id").all() as unknown as MountRecord[];
  }

  /** A cache directory was used. */
  noteMount(id: string, directory: string, size: number, now: number): void {
    this.change(() => {
      const sql = `INSERT INTO build_mount VALUES (?, ?, ?, ?, ?, 1)
        ON CONFLICT (id) DO UPDATE SET size = excluded.size, used = excluded.used, uses = uses + 1`;
      this.#db.prepare(sql).run(id, directory, size, now, now);
    });
  }

  deleteMount(id: string): void {
    this.#db.prepare("DELETE FROM build_mount WHERE id = ?").run(id);
  }

  /** The hash of files in a tree that never changes. */
  hash(tree: string, selection: string): string | undefined {
    const row = this.#db.prepare("SELECT hash FROM build_hash WHERE tree = ? AND selection = ?").get(tree, selection);
    return row === undefined ? undefined : String(row.hash);
  }

  /** Hashes of trees that are not in the cache any more are forgotten; an image's are made again when they are wanted. */
  forgetOldHashes(): void {
    this.#db.exec("DELETE FROM build_hash WHERE tree NOT IN (SELECT chain FROM build_cache)");
  }

  noteHash(tree: string, selection: string, hash: string): void {
    this.#db.prepare("INSERT OR REPLACE INTO build_hash VALUES (?, ?, ?)").run(tree, selection, hash);
  }
}

/** Rows are ours: what is in them was checked when it was written. */
function recordOf(row: Record<string, unknown>): CacheRecord {
  const text = (name: string) => String(row[name]);
  const number = (name: string) => Number(row[name]);
  return {
    key: text("key"),
    kind: text("kind") as CacheKind,
    description: text("description"),
    parent: text("parent"),
    chain: text("chain"),
    layer: {
      diffId: text("diff_id") as DiffId,
      digest: text("digest") as Digest,
      size: number("blob_size"),
      mediaType: text("media_type"),
    },
    size: number("size"),
    created: number("created"),
    used: number("used"),
    uses: number("uses"),
  };
}
