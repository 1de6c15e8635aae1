import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { before, suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { openDatabase } from "../../src/storage/database.ts";
import { Actor } from "../support/endurance/actor.ts";
import { settled } from "../support/endurance/kills.ts";
import { parameter, Random } from "../support/endurance/random.ts";
import { busybox, dockerArchive } from "../support/images.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });
const copies = parameter("SAMPAN_ENDURANCE_COPIES", 60);
const seed = parameter("SAMPAN_ENDURANCE_SEED", Date.now() % 1_000_000);
const random = new Random(seed);
const parts = ["", "-wal", "-shm"];

/** The daemon's files as they are at one moment, but for what SQLite makes anew. */
function copyTo(path: string): void {
  for (const part of parts.slice(0, 2)) copyFileSync(`${box.layout.stateDb}${part}`, `${path}${part}`);
}

/** What a disk does to the end of a file that was just being written: it is short, or has other bytes. */
function tear(path: string): void {
  const bytes = readFileSync(path);
  if (bytes.length === 0) return;
  const from = random.below(bytes.length);
  if (random.below(2) === 0) truncateSync(path, from);
  else {
    bytes.fill(random.below(256), from, from + 1 + random.below(bytes.length - from));
    writeFileSync(path, bytes);
  }
}

function isWhole(path: string): boolean {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return db.prepare("PRAGMA quick_check(1)").get()?.quick_check === "ok";
  } catch {
    return false;
  } finally {
    db.close();
  }
}

suite("the state database", { ...requires("busybox"), ...requiresRoot() }, () => {
  let id: string;

  before(async () => {
    const { status, stderr } = await box.run(["load"], { input: await dockerArchive(await busybox(), ["busybox"]) });
    assert.equal(status, 0, stderr);
    id = await box.ok("run", "-d", "--name", "steady", "--network", "none", "busybox", "sleep", "1000");
  });

  test("copied at any moment, with its log torn anywhere, it is whole", async (context) => {
    context.diagnostic(`seed ${seed}`);
    const stop = new AbortController();
    const actors = [0, 1].map((index) => new Actor(`user${index}`, box, new Random(seed + index)));
    const working = Promise.all(actors.map((actor) => actor.work(stop.signal)));
    const directory = join(box.directory, "copies");
    mkdirSync(directory);
    const daemon = box.pid ?? 0;
    for (let copy = 0; copy < copies; copy++) {
      const path = join(directory, String(copy));
      await delay(random.below(30));
      process.kill(daemon, "SIGSTOP");
      copyTo(path);
      process.kill(daemon, "SIGCONT");
      if (random.below(4) > 0) tear(`${path}-wal`);
      const db = openDatabase(path);
      assert.deepEqual(db.prepare("PRAGMA integrity_check").get(), { __proto__: null, integrity_check: "ok" });
      assert.deepEqual(db.prepare("PRAGMA foreign_key_check").all(), []);
      db.close();
    }
    stop.abort();
    await working;
    for (const { name } of actors) {
      await box.api("DELETE", `/containers/${name}?force=1&v=1`);
      await box.api("DELETE", `/images/${name}?force=1`);
      await box.api("DELETE", `/volumes/${name}?force=1`);
    }
    await settled(box);
  });

  test("damaged, it is refused and left as it is; containers go on, and with a copy put back nothing is lost", async () => {
    await box.stop();
    const { stateDb } = box.layout;
    const intact = readFileSync(stateDb);
    // All but the first, in an order of chance: many may hold nothing.
    const pages = Array.from({ length: Math.floor(intact.length / 4096) - 1 }, (_, index) => ({
      page: index + 1,
      turn: random.next(),
    })).toSorted((a, b) => a.turn - b.turn);
    let refused = 0;
    for (const { page } of pages) {
      if (refused === 8) break;
      const damaged = Buffer.from(intact);
      damaged.fill(refused % 2 === 0 ? 0xff : 0, page * 4096, page * 4096 + 4096);
      writeFileSync(stateDb, damaged);
      if (isWhole(stateDb)) continue; // a page that holds nothing
      const { status, stderr } = await box.run(["daemon"], { timeout: 30_000 });
      assert.equal(status, 1);
      refused++;
      assert.match(stderr, /^Cannot open the state database .*(damaged|malformed|not a database).*\.recover$/m);
      assert.ok(existsSync(join(box.layout.containers, id, "upper")), "its files are untouched");
      assert.deepEqual(readFileSync(stateDb), damaged, "the damaged file, too");
    }
    assert.ok(refused > 3, `${refused} refused`);
    for (const part of parts) rmSync(`${stateDb}${part}`, { force: true });
    writeFileSync(stateDb, intact);
    await box.start();
    assert.equal(await box.ok("exec", "steady", "echo", "here"), "here");
    await settled(box);
  });

  test("lost, the root is refused: nothing of what is in it is swept", async () => {
    await box.stop();
    const { stateDb } = box.layout;
    const intact = readFileSync(stateDb);
    for (const part of parts) rmSync(`${stateDb}${part}`, { force: true });
    await box.fails({ status: 1, stderr: /^Cannot use .*: its state database was lost/m }, "daemon");
    for (const part of parts) rmSync(`${stateDb}${part}`, { force: true });
    writeFileSync(stateDb, intact, { mode: 0o600 });
    await box.start();
    assert.equal(await box.ok("exec", "steady", "echo", "here"), "here");
    await settled(box);
  });
});
