import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { dockerArchive, tar } from "../support/images.ts";
import { eventually } from "../support/process.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";
import { megabyte, smallDisk } from "../support/small-disk.ts";

const box = sandbox();

suite("a disk of 48 MB", { ...requires("unshare", "busybox"), ...requiresRoot() }, () => {
  const disk = smallDisk(box);

  async function load(extra: readonly Uint8Array[], name: string) {
    const input = await dockerArchive({ ...disk.image, layers: [...disk.image.layers, ...extra] }, [`${name}:latest`]);
    return await box.run(["load"], { input });
  }

  /** An archive of an image that has a file of its own in a layer of its own. */
  async function spareImage(): Promise<string> {
    const path = join(box.directory, "spare.tar");
    const layers = [await tar([{ name: "file", body: "file" }])];
    writeFileSync(path, await dockerArchive({ layers, config: {} }, ["spare:latest"]));
    return path;
  }

  const free = () => disk.free();

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
