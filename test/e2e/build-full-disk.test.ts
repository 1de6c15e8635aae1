import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { buildContext } from "../support/builds.ts";
import { eventually } from "../support/process.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";
import { megabyte, smallDisk } from "../support/small-disk.ts";

const box = sandbox();

suite("builds on a disk of 48 MB", { ...requires("unshare", "busybox"), ...requiresRoot() }, () => {
  const disk = smallDisk(box);

  /** A build that does not fit says so, and gives its space back. */
  async function doesNotFit(directory: string): Promise<void> {
    const before = disk.free();
    const { status, stderr } = await box.run(["build", "-t", "large", directory]);
    assert.equal(status, 1, stderr);
    assert.match(stderr, /no space left|ENOSPC|disk is full/i);
    assert.equal(await box.ok("images", "-q", "large"), "");
    await eventually("its space is free", () => Math.abs(before - disk.free()) < 1.5);
  }

  test("a command that fills it", async () => {
    await doesNotFit(buildContext(box, { Dockerfile: "FROM small\nRUN dd if=/dev/zero of=/large bs=1M count=60\n" }));
  });

  test("a context that fills it", async () => {
    const directory = buildContext(box, { Dockerfile: "FROM small\nCOPY large /\n" });
    writeFileSync(join(directory, "large"), randomBytes(60 * megabyte));
    await doesNotFit(directory);
  });

  test("a context that fits, but not its copy", async () => {
    const directory = buildContext(box, { Dockerfile: "FROM small\nCOPY large /\n" });
    writeFileSync(join(directory, "large"), randomBytes(Math.floor(disk.free() * 0.8 * megabyte)));
    await doesNotFit(directory);
  });

  test("the next one that fits is built", async () => {
    await box.ok("build", "-t", "fits", buildContext(box, { Dockerfile: "FROM small\nRUN echo it fits >/fits\n" }));
    assert.equal(await box.ok("run", "--rm", "--network", "none", "fits", "cat", "/fits"), "it fits");
    await box.ok("rmi", "fits");
    await box.ok("builder", "prune", "-af");
  });
});
