import type { DatabaseSync, StatementSync } from "node:sqlite";
import { migrate, syncDatabase, transaction, withRoom } from "../storage/database.ts";
import type { ChainId, Digest } from "../storage/digest.ts";
import type { ImageConfig, ImageIndex, StoredImage, StoredLayer } from "./types.ts";

/** Append-only: see `migrate`. */
const migrations = [
  `CREATE TABLE image (
     id TEXT PRIMARY KEY, config TEXT NOT NULL, created TEXT NOT NULL, tagged TEXT NOT NULL,
     manifest TEXT NOT NULL, media_type TEXT NOT NULL, manifest_size INTEGER NOT NULL,
     hidden INTEGER NOT NULL DEFAULT 0) STRICT;
   CREATE TABLE image_name (
     name TEXT PRIMARY KEY, image TEXT NOT NULL REFERENCES image ON DELETE CASCADE) STRICT;
   CREATE INDEX image_name_image ON image_name (image);
   CREATE TABLE image_digest (
     name TEXT NOT NULL, image TEXT NOT NULL REFERENCES image ON DELETE CASCADE, PRIMARY KEY (name, image)) STRICT;
   CREATE INDEX image_digest_image ON image_digest (image);
   CREATE TABLE image_layer (
     image TEXT NOT NULL REFERENCES image ON DELETE CASCADE, position INTEGER NOT NULL,
     diff_id TEXT NOT NULL, chain_id TEXT NOT NULL, size INTEGER NOT NULL, PRIMARY KEY (image, position)) STRICT;
   CREATE INDEX image_layer_chain ON image_layer (chain_id);
   CREATE TABLE image_blob (
     image TEXT NOT NULL REFERENCES image ON DELETE CASCADE, digest TEXT NOT NULL, PRIMARY KEY (image, digest)) STRICT;
   CREATE INDEX image_blob_digest ON image_blob (digest);
   CREATE TABLE image_pending (kind TEXT NOT NULL, digest TEXT NOT NULL, since INTEGER NOT NULL,
     PRIMARY KEY (kind, digest)) STRICT`,
  `CREATE TABLE image_kept (kind TEXT NOT NULL, digest TEXT NOT NULL, keeper TEXT NOT NULL,
     PRIMARY KEY (kind, digest, keeper)) STRICT;
   CREATE INDEX image_kept_keeper ON image_kept (keeper)`,
  `ALTER TABLE image_name ADD COLUMN target TEXT;
   CREATE TABLE image_index (
     digest TEXT NOT NULL, image TEXT NOT NULL REFERENCES image ON DELETE CASCADE, main INTEGER NOT NULL,
     media_type TEXT NOT NULL, size INTEGER NOT NULL, PRIMARY KEY (digest, image)) STRICT;
   CREATE INDEX image_index_image ON image_index (image)`,
  `CREATE TABLE image_unsettled (
     image TEXT PRIMARY KEY REFERENCES image ON DELETE CASCADE) STRICT`,
];

const listing = `
  SELECT id, config, created, tagged, hidden,
    (SELECT json_group_array(name) FROM (SELECT name FROM image_name WHERE image = id ORDER BY name)) AS names,
    (SELECT json_group_array(name) FROM (SELECT name FROM image_digest WHERE image = id ORDER BY name)) AS digests,
    (SELECT json_group_object(name, target) FROM image_name WHERE image = id AND target IS NOT NULL) AS targets,
    (SELECT json_group_array(json_object('digest', own.digest, 'main', main.image)) FROM image_index AS own
       JOIN image_index AS main ON main.digest = own.digest AND main.main = 1 WHERE own.image = id) AS indexes,
    (SELECT json_group_array(json_object('diffId', diff_id, 'chainId', chain_id, 'size', size))
       FROM (SELECT * FROM image_layer WHERE image = id ORDER BY position)) AS layers
  FROM image ORDER BY created DESC, id`;

export interface NewImage {
  readonly id: Digest;
  readonly config: ImageConfig;
  readonly manifest: { readonly digest: Digest; readonly mediaType: string; readonly size: number };
  readonly layers: readonly StoredLayer[];
  /** Everything in the content store that the image consists of, its manifest and config too. */
  readonly blobs: readonly Digest[];
}

/** A manifest that takes the place of the one that an image has. */
export interface NewManifest extends Pick<NewImage, "manifest"> {
  readonly from: Digest;
  /** Layers' blobs. */
  readonly gone: readonly Digest[];
  readonly come: readonly Digest[];
}

/** An index that was made here. */
export interface NewIndex {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  /** Those that it leads to; the first one has its names. */
  readonly images: readonly Digest[];
}

/** What index.json says of an image. */
export interface ManifestRow {
  readonly image: Digest;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
}

/** The images' rows in the state database. Reading is from memory; every change goes to the database first. */
export class ImageRecords {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #images: { all: readonly StoredImage[]; hidden: ReadonlySet<Digest> } | undefined;

  constructor(db: DatabaseSync) {
    migrate(db, "images", migrations);
    this.#db = db;
  }

  /** Images that have not been removed, newest first. */
  visible(): readonly StoredImage[] {
    const { all, hidden } = this.#read();
    return hidden.size === 0 ? all : all.filter(({ id }) => !hidden.has(id));
  }

  /** Removed images that are kept because containers stand on their layers. */
  hidden(): readonly StoredImage[] {
    const { all, hidden } = this.#read();
    return hidden.size === 0 ? [] : all.filter(({ id }) => hidden.has(id));
  }

  byId(id: Digest): StoredImage | undefined {
    return this.visible().find((image) => image.id === id);
  }

  byName(name: string): StoredImage | undefined {
    return this.visible().find(({ names }) => names.includes(name));
  }

  manifests(): ManifestRow[] {
    const sql =
      "SELECT id AS image, manifest AS digest, media_type AS mediaType, manifest_size AS size FROM image WHERE hidden = 0 ORDER BY id";
    return this.#statement(sql).all() as unknown as ManifestRow[];
  }

  /** Of one image, a removed one that is kept, too. */
  manifestOf(id: Digest): ManifestRow | undefined {
    const sql =
      "SELECT id AS image, manifest AS digest, media_type AS mediaType, manifest_size AS size FROM image WHERE id = ?";
    return this.#statement(sql).get(id) as unknown as ManifestRow | undefined;
  }

  /** All or nothing of several changes. */
  change<T>(changes: () => T): T {
    try {
      return withRoom(this.#db, () => transaction(this.#db, changes));
    } finally {
      this.#images = undefined;
    }
  }

  /** Adds an image, or what is new about one that is here. */
  insert({ id, config, manifest, layers, blobs }: NewImage): void {
    this.change(() => {
      const values = [
        id,
        JSON.stringify(config),
        config.created ?? "",
        manifest.digest,
        manifest.mediaType,
        manifest.size,
      ];
      this.#run(
        `INSERT INTO image (id, config, created, tagged, manifest, media_type, manifest_size) VALUES (?, ?, ?, '', ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET hidden = 0, manifest = excluded.manifest, media_type = excluded.media_type,
           manifest_size = excluded.manifest_size`,
        ...values,
      );
      for (const [position, { diffId, chainId, size }] of layers.entries()) {
        this.#run("INSERT OR REPLACE INTO image_layer VALUES (?, ?, ?, ?, ?)", id, position, diffId, chainId, size);
      }
      for (const digest of blobs) this.#run("INSERT OR IGNORE INTO image_blob VALUES (?, ?)", id, digest);
    });
  }

  /** Another manifest for the same image: some of its layers are stored in another form from now on. */
  replaceManifest(id: Digest, { manifest, from, gone, come }: NewManifest): void {
    this.change(() => {
      if (this.manifestOf(id)?.digest !== from) return;
      const { digest, mediaType, size } = manifest;
      this.#run(
        "UPDATE image SET manifest = ?, media_type = ?, manifest_size = ? WHERE id = ?",
        ...[digest, mediaType, size, id],
      );
      this.#run("UPDATE image_name SET target = ? WHERE image = ? AND target = ?", digest, id, from);
      for (const blob of [from, ...gone]) this.#run("DELETE FROM image_blob WHERE image = ? AND digest = ?", id, blob);
      for (const blob of [digest, ...come]) this.#run("INSERT OR IGNORE INTO image_blob VALUES (?, ?)", id, blob);
    });
  }

  /** Adds an index whose images are all here. */
  insertIndex({ digest, mediaType, size, images }: NewIndex): void {
    this.change(() => {
      for (const [place, image] of images.entries()) {
        const main = place === 0 ? 1 : 0;
        this.#run("INSERT OR REPLACE INTO image_index VALUES (?, ?, ?, ?, ?)", digest, image, main, mediaType, size);
      }
    });
  }

  /** Of an index that was made here. */
  indexOf(digest: Digest): { readonly mediaType: string; readonly size: number } | undefined {
    const sql = "SELECT media_type AS mediaType, size FROM image_index WHERE digest = ? LIMIT 1";
    return this.#statement(sql).get(digest) as unknown as { mediaType: string; size: number } | undefined;
  }

  /**
   * Gives an image a name; another image that had it loses it. `target`: the manifest or index that the name stands for,
   * where that is decided here.
   */
  addName(
    id: Digest,
    name: string,
    { target, now = new Date() }: { target?: Digest | undefined; now?: Date } = {},
  ): void {
    this.change(() => {
      this.#run("INSERT OR REPLACE INTO image_name VALUES (?, ?, ?)", name, id, target ?? null);
      this.#run("UPDATE image SET tagged = ? WHERE id = ?", now.toISOString(), id);
    });
  }

  addRepoDigest(id: Digest, name: string): void {
    this.change(() => this.#run("INSERT OR IGNORE INTO image_digest VALUES (?, ?)", name, id));
  }

  /** Takes a name or repo digest from an image. */
  dropName(id: Digest, name: string): void {
    this.change(() => {
      this.#run("DELETE FROM image_name WHERE name = ? AND image = ?", name, id);
      this.#run("DELETE FROM image_digest WHERE name = ? AND image = ?", name, id);
    });
  }

  hide(id: Digest): void {
    this.change(() => this.#run("UPDATE image SET hidden = 1 WHERE id = ?", id));
  }

  /** Forgets an image; returns what it consisted of. */
  delete(id: Digest): { blobs: Digest[]; chains: ChainId[] } {
    return this.change(() => {
      const blobs = this.blobsOf(id);
      const chains = this.#column(
        "SELECT chain_id AS value FROM image_layer WHERE image = ? ORDER BY position DESC",
        id,
      );
      this.#run("DELETE FROM image WHERE id = ?", id);
      return { blobs, chains: chains as ChainId[] };
    });
  }

  /** Whether an image, or a keeper, needs it. */
  usesBlob(digest: Digest): boolean {
    if (this.#statement("SELECT 1 FROM image_blob WHERE digest = ? LIMIT 1").get(digest) !== undefined) return true;
    return this.#keeps("blob", digest);
  }

  /** Everything in the content store that an image consists of. */
  blobsOf(id: Digest): Digest[] {
    return this.#column("SELECT digest AS value FROM image_blob WHERE image = ?", id) as Digest[];
  }

  /** Familiar "repo@sha256:…" names of images that the blob is part of: where else it is likely to be. */
  digestsWith(blob: Digest): string[] {
    const sql =
      "SELECT DISTINCT d.name AS value FROM image_blob b JOIN image_digest d ON d.image = b.image WHERE b.digest = ?";
    return this.#column(sql, blob) as string[];
  }

  usesLayer(chain: ChainId): boolean {
    if (this.#statement("SELECT 1 FROM image_layer WHERE chain_id = ? LIMIT 1").get(chain) !== undefined) return true;
    return this.#keeps("layer", chain);
  }

  /** Notes that an image is not on the disk yet. */
  noteUnsettled(id: Digest): void {
    this.#run("INSERT OR REPLACE INTO image_unsettled VALUES (?)", id);
  }

  settled(id: Digest): void {
    withRoom(this.#db, () => this.#run("DELETE FROM image_unsettled WHERE image = ?", id));
  }

  /** The oldest first. */
  unsettled(): Digest[] {
    const rows = this.#statement("SELECT image FROM image_unsettled ORDER BY rowid").all();
    return rows.map(({ image }) => image as Digest);
  }

  /** Whether an image that is on the disk, or a keeper, has it. */
  isSettledBlob(digest: Digest): boolean {
    const sql =
      "SELECT 1 FROM image_blob WHERE digest = ? AND image NOT IN (SELECT image FROM image_unsettled) LIMIT 1";
    return this.#statement(sql).get(digest) !== undefined || this.#keeps("blob", digest);
  }

  isSettledLayer(chain: ChainId): boolean {
    const sql =
      "SELECT 1 FROM image_layer WHERE chain_id = ? AND image NOT IN (SELECT image FROM image_unsettled) LIMIT 1";
    return this.#statement(sql).get(chain) !== undefined || this.#keeps("layer", chain);
  }

  /** Keeps blobs and layers that no image needs: the build cache's. `keeper` names the entry. */
  keep(keeper: string, blobs: Iterable<Digest>, chains: Iterable<ChainId>): void {
    this.change(() => {
      for (const digest of blobs) this.#run("INSERT OR IGNORE INTO image_kept VALUES ('blob', ?, ?)", digest, keeper);
      for (const chain of chains) this.#run("INSERT OR IGNORE INTO image_kept VALUES ('layer', ?, ?)", chain, keeper);
    });
  }

  /** Ends what `keep` began; what was kept is for `Garbage.collect`. */
  unkeep(keeper: string): { blobs: Digest[]; chains: ChainId[] } {
    return this.change(() => {
      const kept = (kind: string) =>
        this.#statement("SELECT digest FROM image_kept WHERE kind = ? AND keeper = ? ORDER BY rowid")
          .all(kind, keeper)
          .map(({ digest }) => digest);
      const gone = { blobs: kept("blob") as Digest[], chains: kept("layer") as ChainId[] };
      this.#run("DELETE FROM image_kept WHERE keeper = ?", keeper);
      return gone;
    });
  }

  /** Notes what an operation may leave behind when it does not end. */
  addPending(kind: "blob" | "layer", digest: Digest): void {
    this.#run("INSERT OR REPLACE INTO image_pending VALUES (?, ?, ?)", kind, digest, Date.now());
  }

  dropPending(kind: "blob" | "layer", digest: Digest): void {
    withRoom(this.#db, () => this.#run("DELETE FROM image_pending WHERE kind = ? AND digest = ?", kind, digest));
  }

  /** Makes all changes so far survive a loss of power. */
  sync(): Promise<void> {
    return syncDatabase(this.#db);
  }

  /** What was noted before `before` (ms of the epoch). */
  pending(kind: "blob" | "layer", before: number): Digest[] {
    const rows = this.#statement("SELECT digest FROM image_pending WHERE kind = ? AND since < ?").all(kind, before);
    return rows.map(({ digest }) => digest as Digest);
  }

  #keeps(kind: string, digest: string): boolean {
    const sql = "SELECT 1 FROM image_kept WHERE kind = ? AND digest = ? LIMIT 1";
    return this.#statement(sql).get(kind, digest) !== undefined;
  }

  #read() {
    this.#images ??= readAll(this.#statement(listing).all());
    return this.#images;
  }

  #column(sql: string, id: Digest): unknown[] {
    return this.#statement(sql)
      .all(id)
      .map(({ value }) => value);
  }

  #run(sql: string, ...values: (string | number | null)[]): void {
    this.#statement(sql).run(...values);
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const made = this.#db.prepare(sql);
    this.#statements.set(sql, made);
    return made;
  }
}

/** Rows are ours: what is in them was checked when it was written. */
function readAll(rows: Record<string, unknown>[]) {
  const hidden = new Set<Digest>();
  const all = rows.map((row): StoredImage => {
    const id = row.id as Digest;
    if (row.hidden === 1) hidden.add(id);
    const layers = JSON.parse(String(row.layers)) as StoredLayer[];
    return {
      id,
      names: JSON.parse(String(row.names)) as string[],
      repoDigests: JSON.parse(String(row.digests)) as string[],
      indexes: JSON.parse(String(row.indexes)) as ImageIndex[],
      targets: JSON.parse(String(row.targets)) as Record<string, Digest>,
      config: JSON.parse(String(row.config)) as ImageConfig,
      layers,
      size: layers.reduce((sum, { size }) => sum + size, 0),
      createdAt: String(row.created),
      taggedAt: String(row.tagged),
    };
  });
  return { all, hidden };
}
