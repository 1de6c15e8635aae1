import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { SampanClient } from "../../src/client/index.ts";
import { eventually } from "../support/process.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox();
const lock = join(box.layout.run, "start.sock");

/** Somebody who has the right to start the daemon, and does nothing with it. */
async function holdLock() {
  const holder = spawn(process.execPath, [
    "-e",
    `require("net").createServer(() => {}).listen(${JSON.stringify(lock)})`,
  ]);
  await eventually("somebody is starting the daemon", () => existsSync(lock));
  return holder;
}

test("a daemon that the user named is never started", async () => {
  const nowhere = `unix://${box.directory}/nowhere.sock`;
  const stderr = /^Cannot connect to the Sampan daemon at unix:\/\/.*nowhere\.sock: .*ENOENT/m;
  await box.fails({ status: 1, stderr }, "--host", nowhere, "ps");
  const { status } = await box.run(["run", "x"], { env: { SAMPAN_HOST: nowhere } });
  assert.equal(status, 125);
  assert.equal(box.pid, undefined);
});

test("a daemon that cannot start says why", async () => {
  mkdirSync(dirname(box.layout.root), { recursive: true });
  writeFileSync(box.layout.root, "in the way");
  await box.fails({ status: 1, stderr: /^Cannot start the Sampan daemon: .*(EEXIST|ENOTDIR)/m }, "ps");
  const { rmSync } = await import("node:fs");
  rmSync(box.layout.root);
});

for (const before of ["nothing", "the lock of a process that was killed"]) {
  test(`of ten commands at once one starts the daemon, and all are answered, after ${before}`, async () => {
    await box.stop();
    if (before !== "nothing") (await holdLock()).kill("SIGKILL");
    const answers = await Promise.all(Array.from({ length: 10 }, () => box.run(["ps", "-q"])));
    for (const { status, stderr } of answers) assert.deepEqual([status, stderr], [0, ""]);
    const pid = box.pid;
    assert.ok(pid !== undefined, "no daemon has left its pid");
    await box.ok("version");
    assert.equal(box.pid, pid);
    assert.ok(!existsSync(lock), "the lock is given back");
  });
}

test("who starts a daemon is waited for, and one that was killed meanwhile is no obstacle", async () => {
  await box.stop();
  const holder = await holdLock();
  const ids = box.run(["ps", "-q"]);
  assert.equal(await Promise.race([ids, pause(500, "waits")]), "waits");
  holder.kill("SIGKILL");
  assert.equal((await ids).status, 0);
  assert.ok(!existsSync(lock), "the lock is given back");
});

test("the library starts a daemon, too, and reports errors by kind", async () => {
  await box.stop();
  const client = new SampanClient({ root: box.layout.root, run: box.layout.run });
  try {
    assert.deepEqual(await client.containers.list(), []);
    assert.ok((await client.images.list()).some(({ RepoTags }) => RepoTags?.includes("sampan/host:latest")));
    await assert.rejects(client.containers.inspect("nosuch"), { kind: "not-found", message: /nosuch/ });
    await assert.rejects(client.containers.create({ Image: "" }), { kind: "invalid" });
  } finally {
    client.close();
  }
});

test("sampan daemon serves in the foreground, and a signal ends it", async () => {
  await box.stop();
  await box.start("--idle-exit=600");
  assert.match(
    await box.ok("info", "-f", "{{.ServerVersion}} {{.DockerRootDir}}"),
    new RegExp(`^\\S+ ${box.layout.root}$`),
  );
  await box.stop("SIGINT");
  assert.equal(box.pid, undefined);
});

test("a daemon that is killed is replaced by the next command", async () => {
  await box.ok("ps");
  await box.stop("SIGKILL");
  assert.match(await box.ok("version", "-f", "{{.Server.ApiVersion}}"), /^1\.\d+$/);
  await eventually("the new daemon has left its pid", () => box.pid !== undefined);
});
