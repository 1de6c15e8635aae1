import assert from "node:assert/strict";
import { chownSync, existsSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { Session } from "../../src/kernel/executor.ts";
import { AT_FDCWD, CLONE_NEWNS, O_CREAT, O_WRONLY } from "../../src/kernel/flags.ts";
import { Program } from "../../src/kernel/program.ts";
import { isolateMounts, mountRoot } from "../../src/runtime/rootfs.ts";
import { type LayerRef, openSnapshotStore, type SnapshotStore } from "../../src/storage/snapshots/index.ts";
import { directoryEntries } from "../../src/storage/unpack/directory-entries.ts";
import { addReading } from "../../src/storage/unpack/read-directories.ts";
import { testExecutor } from "../support/helper.ts";
import { chainId, LayerBench } from "../support/layers.ts";
import { requiresRoot } from "../support/requires.ts";

const { executor, directory } = testExecutor();
const bench = new LayerBench(executor, directory);
const layout = {
  root: directory,
  run: join(directory, "run"),
  containers: join(directory, "containers"),
  layers: join(directory, "layers"),
};
const open = (): SnapshotStore => openSnapshotStore({ layout, layers: bench.store, executor });
const snapshots = open();
const [major = 0, minor = 0] = release().split(".").map(Number);
const sessions: Session[] = [];
after(() => {
  for (const session of sessions) session.close();
});

/** What every container has below its image. */
const base = [".dockerenv", "dev", "etc", "proc", "sys"];
const baseEtc = ["hostname", "hosts", "mtab", "resolv.conf"];

const upperOf = (key: string): string => join(layout.containers, key, "upper");

/** Mounts a snapshot in a mount namespace of its own, as the runtime does, and goes there. */
async function enter(key: string, lower: readonly LayerRef[]): Promise<Session> {
  const [mount] = snapshots.mounts(key, lower);
  assert.ok(mount);
  const mountPoint = join(directory, `mounted-${key}`);
  mkdirSync(mountPoint);
  const session = await executor.open();
  sessions.push(session);
  const p = new Program("look at a snapshot");
  p.call("unshare", [CLONE_NEWNS], { note: "leave the machine's mounts" });
  isolateMounts(p);
  const root = { ...mount, mountPoint, readOnly: false };
  const fd = mountRoot(p, root, { lowerdirPlus: major > 6 || (major === 6 && minor >= 5) });
  p.call("fchdir", [fd], { note: "go there" });
  await session.run(p);
  return session;
}

/** The names in a directory of the snapshot. */
async function names(session: Session, name: string): Promise<string[]> {
  const program = new Program("read a directory");
  const { bytes, length } = addReading(program, name);
  const results = await session.run(program);
  return directoryEntries(results.bytes(bytes, results.value(length)))
    .map((entry) => entry.name)
    .sort();
}

async function write(session: Session, name: string, text: string): Promise<void> {
  const p = new Program("write a file");
  const fd = p.sys("openat", [AT_FDCWD, p.text(name), O_CREAT | O_WRONLY, 0o644], { note: "open it" });
  p.call("write", [fd, p.text(text), text.length], { note: "write" });
  p.call("close", [fd], { note: "close" });
  await session.run(p);
}

describe("snapshots", requiresRoot(), () => {
  const layers: LayerRef[] = [chainId("lower"), chainId("upper")];

  test("layers are seen as one, with what they hide hidden", async () => {
    await bench.apply("lower", [
      { name: "etc/" },
      { name: "etc/a", data: "1" },
      { name: "etc/gone", data: "1" },
      { name: "opaque/" },
      { name: "opaque/old" },
      { name: "replaced/" },
      { name: "replaced/old" },
      { name: "merged/", mode: 0o700, uid: 5 },
      { name: "merged/old" },
    ]);
    await bench.apply(
      "upper",
      [
        { name: "etc/.wh.gone" },
        { name: "etc/b", data: "2" },
        { name: "opaque/.wh..wh..opq" },
        { name: "opaque/new" },
        { name: ".wh.replaced" },
        { name: "replaced/new" },
        { name: "merged/new" },
      ],
      ["lower"],
    );
    await snapshots.prepare("merged", layers);
    const session = await enter("merged", layers);
    assert.deepEqual(await names(session, ""), [...base, "merged", "opaque", "replaced"].sort());
    assert.deepEqual(await names(session, "etc"), ["a", "b", ...baseEtc]);
    assert.deepEqual(await names(session, "opaque"), ["new"]);
    assert.deepEqual(await names(session, "replaced"), ["new"]);
    assert.deepEqual(await names(session, "merged"), ["new", "old"]);
    await write(session, "etc/mine", "12345");
    const upper = upperOf("merged");
    assert.deepEqual(readdirSync(join(upper, "etc")), ["mine"]);
    assert.equal(await snapshots.usage("merged"), 5);
    // Another daemon finds it as it was left.
    assert.equal(await open().usage("merged"), 5);
  });

  test("sizes count hard links once, and every name of a large directory", async () => {
    await snapshots.prepare("sized", layers);
    const upper = upperOf("sized");
    mkdirSync(join(upper, "wide"));
    for (let index = 0; index < 2500; index++) writeFileSync(join(upper, "wide", `some-name-${index}`), "12");
    const p = new Program("link");
    for (const name of ["one", "two"]) {
      const from = p.text(join(upper, "wide/some-name-0"));
      p.call("linkat", [AT_FDCWD, from, AT_FDCWD, p.text(join(upper, name)), 0], { note: "link" });
    }
    await executor.run(p);
    assert.equal(await snapshots.usage("sized"), 5000);
  });

  test("an image without layers has what is mounted over, and nothing else", async () => {
    await snapshots.prepare("scratch", []);
    const session = await enter("scratch", []);
    assert.deepEqual(await names(session, ""), base);
    assert.deepEqual(await names(session, "etc"), baseEtc);
    assert.deepEqual(readdirSync(upperOf("scratch")), []);
  });

  test("the machine's own files, without its state, its mounts and ours", async () => {
    chownSync(directory, 0, 0);
    mkdirSync(layout.run, { recursive: true });
    await snapshots.prepare("host", ["host"]);
    const session = await enter("host", ["host"]);
    const seen = await names(session, "");
    for (const name of ["etc", "usr", "proc", "tmp"]) assert.ok(seen.includes(name), name);
    for (const name of ["proc", "sys", "dev", "run", "tmp"]) assert.deepEqual(await names(session, name), [], name);
    assert.ok((await names(session, "etc")).includes("passwd"));
    const [mount] = snapshots.mounts("host", ["host"]);
    assert.deepEqual(
      ["dev", "proc", "run", "sys", "tmp"].filter(
        (name) => !mount?.prepared.some(({ path, opaque }) => path === name && opaque),
      ),
      [],
    );
    // Our own root is hidden with what it lies in, or is there and empty.
    const elsewhere = openSnapshotStore({ layout: { ...layout, root: "/usr/lib" }, layers: bench.store, executor });
    await elsewhere.prepare("usr", ["host"]);
    const hidden = elsewhere.mounts("usr", ["host"])[0]?.prepared.filter(({ path }) => path.startsWith("usr"));
    const { mode } = lstatSync("/usr");
    assert.deepEqual(
      hidden?.map(({ path, opaque }) => [path, opaque]),
      [
        ["usr", false],
        ["usr/lib", true],
      ],
    );
    assert.equal(hidden?.[0]?.mode, mode & 0o7777);
    assert.equal(await snapshots.usage("host"), 0);
    await write(session, "etc/of-the-container", "x");
    assert.equal(existsSync("/etc/of-the-container"), false);
    await assert.rejects(snapshots.prepare("on-host", ["host", chainId("upper")]), { kind: "unsupported" });
  });

  test("what is removed is gone, also what overlayfs has locked away", async () => {
    for (const session of sessions.splice(0)) session.close();
    for (const key of ["merged", "sized", "scratch", "host", "usr"]) {
      await snapshots.remove(key);
      assert.deepEqual(readdirSync(join(layout.containers, key)), [], key);
      await snapshots.remove(key);
    }
  });
});
