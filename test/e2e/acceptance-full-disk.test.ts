import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, openSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { busybox, dockerArchive, type TestImage, tar } from "../support/images.ts";
import { eventually } from "../support/process.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { sampan, sandbox } from "../support/sandbox.ts";

const box = sandbox();
const megabyte = 1 << 20;

suite("a disk of 48 MB", { ...requires("unshare", "busybox"), ...requiresRoot() }, () => {
  let daemon: ChildProcess;
  let image: TestImage;
  /** The daemon's view of its root, a tmpfs in a mount namespace of its own. */
  let root: string;

  before(async () => {
    mkdirSync(box.layout.root, { recursive: true });
    const script = 'mount -t tmpfs -o size=48m,mode=711 small "$1" && shift && exec "$@"';
    const args = ["-m", "--propagation", "private", "sh", "-c", script, "sh", box.layout.root, sampan, "daemon"];
    const log = openSync(join(box.directory, "daemon.log"), "a");
    daemon = spawn("unshare", args, { env: box.env, cwd: "/", stdio: ["ignore", log, log] });
    await eventually("the daemon answers", () => box.ping());
    root = `/proc/${box.pid}/root${box.layout.root}`;
    image = await busybox();
    assert.equal((await load([], "small")).status, 0);
  });

  after(async () => {
    const ids = (await box.ok("ps", "-aq")).split("\n").filter((id) => id !== "");
    if (ids.length > 0) await box.ok("rm", "-f", ...ids);
    await box.ok("rmi", "-f", "small");
    const ended = once(daemon, "exit");
    await box.stop();
    assert.deepEqual(await ended, [0, null]);
  });

  async function load(extra: readonly Uint8Array[], name: string) {
    const input = await dockerArchive({ ...image, layers: [...image.layers, ...extra] }, [`${name}:latest`]);
    return await box.run(["load"], { input });
  }

  /** An archive of an image that has a file of its own in a layer of its own. */
  async function spareImage(): Promise<string> {
    const path = join(box.directory, "spare.tar");
    const layers = [await tar([{ name: "file", body: "file" }])];
    writeFileSync(path, await dockerArchive({ layers, config: {} }, ["spare:latest"]));
    return path;
  }

  function free(): number {
    const { bavail, bsize } = statfsSync(root);
    return (bavail * bsize) / megabyte;
  }

  test("an image that does not fit: an error that says so, and all its space is given back", async () => {
    const before = free();
    for (const megabytes of [30, 60]) {
      const big = await tar([{ name: "big", body: randomBytes(megabytes * megabyte) }]);
      const { status, stderr } = await load([big], "big");
      assert.equal(status, 1, stderr);
      assert.match(stderr, /no space left|ENOSPC/i);
      assert.deepEqual((await box.ok("images", "--format", "{{.Repository}}")).split("\n").sort(), [
        "sampan/host",
        "small",
      ]);
      await eventually("its space is free", () => Math.abs(before - free()) < 1.5);
    }
    assert.equal(await box.ok("run", "--rm", "small", "echo", "on it goes"), "on it goes");
  });

  test("a container that fills the disk sees that; others, logs and the daemon go on", async () => {
    await box.ok("load", "-i", await spareImage());
    await box.ok("run", "-d", "--name", "other", "small", "sleep", "1000");
    const fill = "dd if=/dev/zero of=/fill bs=1M 2>&1 | grep -i 'no space'; sync; echo full; sleep 1000";
    await box.ok("run", "-d", "--name", "filler", "small", "sh", "-c", fill);
    await eventually("the disk is full", () => free() < 0.1);
    assert.equal(await box.ok("exec", "other", "echo", "alive"), "alive");
    assert.match(await box.ok("ps", "--format", "{{.Names}}"), /filler\nother/);
    const { status, stderr } = await box.run(["run", "--rm", "small", "true"]);
    if (status !== 0) assert.match(stderr, /no space|ENOSPC|disk is full/i);
    assert.match(await box.ok("rmi", "spare"), /Untagged: spare:latest/);
    await box.ok("rm", "-f", "filler");
    await eventually("there is space again", () => free() > 10);
    assert.equal(await box.ok("run", "--rm", "small", "echo", "again"), "again");
    await box.ok("rm", "-f", "other");
  });
});
