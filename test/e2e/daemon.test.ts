import assert from "node:assert/strict";
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { beforeEach, suite, test } from "node:test";
import { busybox } from "../support/images.ts";
import { eventually } from "../support/process.ts";
import { RawConnection, rawRequest } from "../support/raw-http.ts";
import { freePort } from "../support/registry.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox();

function mode(path: string): string {
  return (statSync(path).mode & 0o7777).toString(8);
}

async function isGone(): Promise<boolean> {
  return !existsSync(box.layout.apiSocket) && !existsSync(box.layout.pidFile);
}

async function sleeper(name: string): Promise<void> {
  await box.load(await busybox(), "busybox");
  const body = { Image: "busybox", Cmd: ["sleep", "1000"] };
  assert.equal((await box.api("POST", `/containers/create?name=${name}`, body)).status, 201);
  assert.equal((await box.api("POST", `/containers/${name}/start`)).status, 204);
}

suite("the daemon", requires("busybox"), () => {
  beforeEach(() => box.stop());

  test("its files are for whom they are for", async () => {
    await box.start();
    const { root, run, stateDb, apiSocket, containers } = box.layout;
    assert.deepEqual([mode(root), mode(run), mode(stateDb), mode(containers)], ["711", "755", "600", "710"]);
    const docker = /^docker:/m.test(readFileSync("/etc/group", "utf8"));
    assert.equal(mode(apiSocket), docker ? "660" : "600");
    assert.equal(statSync(apiSocket).uid, 0);
    assert.equal(Number(readFileSync(box.layout.pidFile, "utf8")), box.pid);
  });

  test("one root has one daemon", async () => {
    await box.start();
    const first = box.pid;
    for (const run of [box.layout.run, join(box.directory, "elsewhere")]) {
      const { status, stderr } = await box.run(["daemon", "--root", box.layout.root, "--run", run], {
        timeout: 30_000,
      });
      assert.notEqual(status, 0);
      assert.match(stderr, /^Cannot start a daemon for .*: another one.* is using it/m);
    }
    assert.equal(box.pid, first);
    assert.ok(await box.ping());
  });

  test("what a killed daemon left is no hindrance", async () => {
    await box.start();
    await box.stop("SIGKILL");
    assert.ok(existsSync(box.layout.apiSocket) && existsSync(box.layout.pidFile));
    // The number may be another process's by now.
    writeFileSync(box.layout.pidFile, `${process.pid}\n`);
    await box.start();
    assert.ok(await box.ping());
  });

  test("SIGTERM ends it at once, endless answers too; containers go on", async () => {
    await box.start();
    await sleeper("survivor");
    const endless: RawConnection[] = [];
    for (const [method, path] of [
      ["GET", "/events"],
      ["GET", "/containers/survivor/logs?follow=1&stdout=1"],
      ["POST", "/containers/survivor/wait"],
      ["POST", "/containers/survivor/attach?stream=1&stdout=1"],
    ] as const) {
      const connection = await RawConnection.open(box.layout.apiSocket);
      connection.send(rawRequest(method, path));
      await connection.header();
      endless.push(connection);
    }
    const begin = Date.now();
    await box.stop("SIGTERM");
    assert.ok(Date.now() - begin < 3000, `${Date.now() - begin} ms`);
    for (const connection of endless) await connection.end();
    assert.ok(await isGone());
    await box.start();
    const { json } = await box.api("GET", "/containers/survivor/json");
    assert.equal((json as { State: { Status: string } }).State.Status, "running");
    assert.equal((await box.api("DELETE", "/containers/survivor?force=1")).status, 204);
  });

  test("idle-exit: it leaves when nothing is asked and nothing runs", async () => {
    await box.start("--idle-exit=0.5");
    await sleeper("busy");
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assert.ok(await box.ping(), "a container runs");
    assert.equal((await box.api("DELETE", "/containers/busy?force=1")).status, 204);
    const connection = await RawConnection.open(box.layout.apiSocket);
    connection.send(rawRequest("GET", "/events"));
    await connection.header();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assert.ok(existsSync(box.layout.apiSocket), "somebody listens to events");
    connection.close();
    await eventually("it leaves", isGone);
    await eventually("its process ends", () => box.pid === undefined);
  });

  test("the command line starts it again after it has left", async () => {
    await box.start("--idle-exit=0.3");
    await eventually("it leaves", isGone);
    assert.equal(await box.ok("ps", "-q"), "");
    assert.ok(await box.ping());
  });

  test("it listens where it is told to, as far as that is safe", async () => {
    const port = await freePort();
    const extra = join(box.directory, "extra.sock");
    await box.start("--host", `tcp://127.0.0.1:${port}`, "--host", `unix://${extra}`);
    const ping = (headers: Record<string, string>): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const url = `http://127.0.0.1:${port}/_ping`;
        get(url, { headers }, (response) => resolve(response.resume().statusCode)).once("error", reject);
      });
    assert.equal(await ping({}), 200);
    assert.equal(await ping({ host: `localhost:${port}` }), 200);
    assert.equal(await ping({ origin: "http://example.com" }), 403, "a web page asks");
    assert.equal(await ping({ host: "example.com" }), 403, "a web page has made its name ours");
    const connection = await RawConnection.open(extra);
    connection.send(rawRequest("GET", "/_ping"));
    assert.match(await connection.header(), /200 OK/);
    connection.close();
    await box.stop();
    assert.ok(!existsSync(extra));
    const { status: refused, stderr } = await box.run(["daemon", "--host", "tcp://0.0.0.0:2375"]);
    assert.notEqual(refused, 0);
    assert.match(stderr, /^Cannot listen on tcp:\/\/0\.0\.0\.0:2375: .*loopback/m);
  });

  test("an address that is taken is a clear error, and nothing is left of the attempt", async () => {
    const port = await freePort();
    await box.start("--host", `tcp://127.0.0.1:${port}`);
    const args = ["--root", join(box.directory, "other"), "--run", join(box.directory, "other-run")];
    const { status, stderr } = await box.run(["daemon", ...args, "--host", `tcp://127.0.0.1:${port}`]);
    assert.notEqual(status, 0);
    assert.match(stderr, /^Cannot listen on tcp:\/\/127\.0\.0\.1:\d+: .*EADDRINUSE/m);
    assert.deepEqual(
      readdirSync(join(box.directory, "other-run")).filter((name) => /sock|pid/.test(name)),
      [],
    );
  });

  test("a socket's path that is too long is a clear error", async () => {
    const run = join(box.directory, "x".repeat(100));
    const { status, stderr } = await box.run(["daemon", "--root", join(box.directory, "other"), "--run", run]);
    assert.notEqual(status, 0);
    assert.match(stderr, /^Cannot .*(longer than|at most) 107 bytes/m);
  });

  test("a damaged state database is a clear error", async () => {
    await box.start();
    await box.stop();
    const { stateDb } = box.layout;
    const intact = readFileSync(stateDb);
    writeFileSync(stateDb, Buffer.alloc(intact.length, 7));
    chmodSync(stateDb, 0o600);
    const { status, stderr } = await box.run(["daemon"], { timeout: 30_000 });
    assert.notEqual(status, 0);
    assert.match(stderr, /^Cannot open the state database .*not a database/m);
    writeFileSync(stateDb, intact);
    await box.start();
    assert.ok(await box.ping());
  });
});
