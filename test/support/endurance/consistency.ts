import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Layout, layoutOf } from "../../../src/storage/layout.ts";
import { cgroupsOf } from "../leaks.ts";
import { monitorsOf } from "../victims.ts";

interface ContainerRow {
  readonly id: string;
  readonly onHost: boolean;
  readonly running: boolean;
  readonly pid: number;
  readonly starts: number;
}

/**
 * What does not fit together in a root of which nothing is under way: its database, its files, and the processes, sockets
 * and cgroups of its containers. One line for each; empty when all is well. `prefix` leads to the root as its daemon sees it.
 */
export function inconsistencies(layout: Layout, prefix = ""): string[] {
  const seen = layoutOf({ root: `${prefix}${layout.root}`, run: `${prefix}${layout.run}` });
  const scratch = mkdtempSync(join(tmpdir(), "sampan-copy-"));
  const db = new DatabaseSync(copyOf(seen.stateDb, scratch));
  try {
    const rows = containerRows(db);
    return [
      ...databaseFaults(db),
      ...imageFaults(db, seen),
      ...containerFaults(rows, seen),
      ...volumeFaults(db, seen),
      ...lifeFaults(rows, layout, seen),
    ];
  } finally {
    db.close();
    rmSync(scratch, { recursive: true });
  }
}

/** SQLite would look for the log of changes where a path through /proc/PID/root seems to lead. */
function copyOf(database: string, to: string): string {
  for (const suffix of ["", "-wal"]) copyFileSync(`${database}${suffix}`, join(to, `state.db${suffix}`));
  return join(to, "state.db");
}

function column(db: DatabaseSync, sql: string): string[] {
  return db
    .prepare(sql)
    .all()
    .map((row) => String(Object.values(row)[0]));
}

function databaseFaults(db: DatabaseSync): string[] {
  const integrity = column(db, "PRAGMA integrity_check").filter((line) => line !== "ok");
  const foreign = db.prepare("PRAGMA foreign_key_check").all();
  return [...integrity, ...foreign.map((row) => `foreign key: ${JSON.stringify(row)}`)].map(
    (line) => `state.db ${line}`,
  );
}

/** `missing` of what should be there, `stray` for what should not. */
function compare(what: string, wanted: Iterable<string>, there: Iterable<string>): string[] {
  const [should, is] = [new Set(wanted), new Set(there)];
  return [
    ...[...should.difference(is)].map((name) => `${what} ${name} is missing`),
    ...[...is.difference(should)].map((name) => `${what} ${name} is of nobody`),
  ];
}

function imageFaults(db: DatabaseSync, { layers, content }: Layout): string[] {
  const hexOf = (digest: string) => digest.slice(digest.indexOf(":") + 1);
  const chains = column(
    db,
    "SELECT chain_id FROM image_layer UNION SELECT digest FROM image_kept WHERE kind = 'layer'",
  ).map(hexOf);
  const blobs = column(db, "SELECT digest FROM image_blob UNION SELECT digest FROM image_kept WHERE kind = 'blob'").map(
    hexOf,
  );
  // Of a pull that was interrupted: the next one goes on with them.
  const pending = new Set(column(db, "SELECT digest FROM image_pending WHERE kind = 'blob'").map(hexOf));
  const there = readdirSync(join(content, "blobs/sha256"));
  const damaged = there.filter((name) => digestOf(join(content, "blobs/sha256", name)) !== name);
  const wantedLayers = chains.flatMap((name) => [name, `${name}.json`]);
  return [
    ...compare("layer", [...wantedLayers, "base"], readdirSync(layers)),
    ...compare(
      "blob",
      blobs,
      there.filter((name) => blobs.includes(name) || !pending.has(name)),
    ),
    ...damaged.map((name) => `blob ${name} has other bytes`),
    ...readdirSync(join(content, "ingest"))
      .filter((name) => !pending.has(name.replace(/^sha256-/, "")))
      .map((name) => `ingest ${name} is of nobody`),
    ...indexFaults(db, content),
  ];
}

function digestOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

/** The OCI layout that other tools read says what the database says. */
function indexFaults(db: DatabaseSync, content: string): string[] {
  const { manifests } = JSON.parse(readFileSync(join(content, "index.json"), "utf8")) as {
    manifests: { digest: string }[];
  };
  const layout = JSON.parse(readFileSync(join(content, "oci-layout"), "utf8")) as { imageLayoutVersion: string };
  const faults = layout.imageLayoutVersion === "1.0.0" ? [] : ["oci-layout has no version"];
  const digests = manifests.map(({ digest }) => digest);
  return [...faults, ...compare("index.json:", column(db, "SELECT manifest FROM image WHERE hidden = 0"), digests)];
}

function containerRows(db: DatabaseSync): ContainerRow[] {
  const sql = "SELECT id, record, container_state.state AS state FROM container LEFT JOIN container_state USING (id)";
  return db
    .prepare(sql)
    .all()
    .map(({ id, record, state }) => {
      const life = typeof state === "string" ? JSON.parse(state) : { status: "created", pid: 0, starts: 0 };
      return {
        id: String(id),
        onHost: (JSON.parse(String(record)) as { layers: string[] }).layers.includes("host"),
        running: life.status === "running" || life.status === "paused",
        pid: Number(life.pid),
        starts: Number(life.starts),
      };
    });
}

function containerFaults(rows: readonly ContainerRow[], { containers }: Layout): string[] {
  const faults = compare(
    "container",
    rows.map(({ id }) => id),
    readdirSync(containers),
  );
  for (const { id, onHost, starts } of rows) {
    const directory = join(containers, id);
    if (!existsSync(directory)) continue;
    const names = readdirSync(directory);
    for (const name of onHost ? [] : ["upper", "work"])
      if (!names.includes(name)) faults.push(`container ${id} has no ${name}`);
    const usual = (name: string) => /^(upper|work|log(\.\d+)?)$/.test(name) || name === `exit.${starts}`;
    faults.push(...names.filter((name) => !usual(name)).map((name) => `container ${id} has a stray ${name}`));
  }
  return faults;
}

function volumeFaults(db: DatabaseSync, { volumes }: Layout): string[] {
  const there = existsSync(volumes) ? readdirSync(volumes).filter((name) => existsSync(join(volumes, name))) : [];
  const faults = compare("volume", column(db, "SELECT name FROM volume"), there);
  return [
    ...faults,
    ...there.filter((name) => !existsSync(join(volumes, name, "_data"))).map((name) => `volume ${name} is half`),
  ];
}

/** What runs has a process, a monitor, a socket and cgroups; what does not has none of them. */
function lifeFaults(rows: readonly ContainerRow[], layout: Layout, { run }: Layout): string[] {
  const running = rows.filter((row) => row.running);
  const ids = running.map(({ id }) => id);
  const groups = new Set(
    cgroupsOf(layout.suffix)
      .map((path) => basename(path))
      .filter((name) => /^[0-9a-f]{64}$/.test(name)),
  );
  return [
    ...running
      .filter(({ pid }) => !existsSync(`/proc/${pid}`))
      .map(({ id, pid }) => `process ${pid} of ${id} is missing`),
    ...compare("monitor", ids, monitorsOf(layout).keys()),
    ...compare("cgroup", ids, groups),
    ...compare(
      "socket",
      running.map(({ id, starts }) => `${id.slice(0, 20)}.${starts}`),
      readdirSync(join(run, "monitors")),
    ),
  ];
}
