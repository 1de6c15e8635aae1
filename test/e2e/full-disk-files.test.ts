import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { tar } from "../support/images.ts";
import { eventually } from "../support/process.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";
import { megabyte, smallDisk } from "../support/small-disk.ts";

const box = sandbox();

suite("files and images on a disk of 48 MB", { ...requires("unshare", "busybox"), ...requiresRoot() }, () => {
  const disk = smallDisk(box);

  const free = () => disk.free();
  const left = () => ({
    blobs: readdirSync(join(disk.root, "content/blobs/sha256")).sort(),
    ingests: readdirSync(join(disk.root, "content/ingest")),
    layers: readdirSync(join(disk.root, "layers")).sort(),
  });
  const full = /no space left|ENOSPC/i;

  test("a commit and an import that do not fit leave nothing, and the container goes on", async () => {
    const fill = "dd if=/dev/urandom of=/big bs=1M count=26 2>/dev/null; touch /ready; sleep 1000";
    const id = await box.ok("run", "-d", "small", "sh", "-c", fill);
    await box.ok("exec", id, "sh", "-c", "until [ -e /ready ]; do sleep 0.1; done");
    const before = left();
    const space = free();
    await box.fails({ status: 1, stderr: full }, "commit", id, "big");
    assert.deepEqual(left(), before);
    assert.equal(await box.ok("inspect", "--format", "{{.State.Status}}", id), "running");
    await eventually("its space is free", () => Math.abs(space - free()) < 1.5);
    const input = await tar([{ name: "big", body: randomBytes(30 * megabyte) }]);
    const imported = await box.run(["import", "-", "big"], { input });
    assert.match(imported.stderr + imported.stdout, full);
    assert.notEqual(imported.status, 0);
    assert.deepEqual(left(), before);
    await box.ok("rm", "-f", id);
    await eventually("there is space again", () => free() > 30);
  });

  test("a copy that does not fit says so; volumes are made and removed around it", async () => {
    const id = "again";
    await box.ok("create", "--name", id, "-v", "data:/data", "small", "true");
    writeFileSync(join(box.directory, "large"), randomBytes(60 * megabyte));
    for (const place of ["/root", "/data"]) {
      await box.fails({ status: 1, stderr: full }, "cp", join(box.directory, "large"), `${id}:${place}`);
      await box.ok("volume", "ls");
      const made = await box.run(["volume", "create", "more"]);
      if (made.status !== 0) assert.match(made.stderr, /no space|ENOSPC|full/i);
      else await box.ok("volume", "rm", "more");
      if (place === "/data") continue;
      await box.ok("rm", id);
      await eventually("there is space again", () => free() > 30);
      await box.ok("create", "--name", "again", "-v", "data:/data", "small", "true");
    }
    await box.ok("rm", "again");
    await box.ok("volume", "rm", "data");
    await eventually("the volume's space is free", () => free() > 30);
  });
});
