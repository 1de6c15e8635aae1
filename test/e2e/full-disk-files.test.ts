import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, openSync, readdirSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { busybox, dockerArchive, tar } from "../support/images.ts";
import { eventually } from "../support/process.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { sampan, sandbox } from "../support/sandbox.ts";

const box = sandbox();
const megabyte = 1 << 20;

suite("files and images on a disk of 48 MB", { ...requires("unshare", "busybox"), ...requiresRoot() }, () => {
  let daemon: ChildProcess;
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
    const loaded = await box.run(["load"], { input: await dockerArchive(await busybox(), ["small:latest"]) });
    assert.equal(loaded.status, 0, loaded.stderr);
  });

  after(async () => {
    await box.clear();
    await box.ok("rmi", "-f", "small");
    const ended = once(daemon, "exit");
    await box.stop();
    assert.deepEqual(await ended, [0, null]);
  });

  const free = (): number => {
    const { bavail, bsize } = statfsSync(root);
    return (bavail * bsize) / megabyte;
  };
  const left = () => ({
    blobs: readdirSync(join(root, "content/blobs/sha256")).sort(),
    ingests: readdirSync(join(root, "content/ingest")),
    layers: readdirSync(join(root, "layers")).sort(),
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
