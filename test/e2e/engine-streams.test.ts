import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { ExecRequest } from "../../src/engine/types.ts";
import { type Attached, engineBox, payload, received } from "../support/engine.ts";
import { requires, requiresRoot } from "../support/requires.ts";

const needs = { ...requires("busybox"), ...requiresRoot() };

suite("attach, logs and exec", needs, () => {
  const box = engineBox();
  const interactive = { OpenStdin: true, StdinOnce: true };

  test("attached before the start: not a byte is lost, however short the life", async () => {
    for (let i = 0; i < 20; i++) {
      const id = await box.create(["echo", "hello"]);
      const { client, end } = await box.attach(id, { stdin: false });
      const output = received(client);
      await box.engine.containers.start(id);
      assert.equal(await end, "ended");
      assert.deepEqual(await output, Buffer.from("\u0001\0\0\0\0\0\0\u0006hello\n", "latin1"));
      await box.engine.containers.remove(id, { force: true });
    }
  });

  test("stdin goes in, and its end ends it", async () => {
    const id = await box.create(["sh", "-c", "cat; echo done >&2"], { config: interactive });
    const { client } = await box.attach(id);
    await box.engine.containers.start(id);
    const output = received(client);
    client.end("some\ntext\n");
    assert.equal(payload(await output), "some\ntext\ndone\n");
    await box.engine.containers.remove(id, { force: true });
  });

  test("much output through a slow reader arrives whole", async () => {
    const id = await box.create(["sh", "-c", "seq 1 200000"]);
    const { client } = await box.attach(id, { stdin: false });
    await box.engine.containers.start(id);
    const parts: Buffer[] = [];
    for await (const part of client) {
      parts.push(part as Buffer);
      if (parts.length % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const lines = payload(Buffer.concat(parts)).split("\n");
    assert.equal(lines.length, 200_001);
    assert.equal(lines[199_999], "200000");
    await box.engine.containers.remove(id);
  });

  test("a terminal: its size, a resize, and the keys that detach", async () => {
    const config = { ...interactive, StdinOnce: false, Tty: true };
    const id = await box.create(["sh", "-c", "stty size; while read x; do stty size; echo got $x; done"], {
      config,
    });
    const first = await box.attach(id);
    await box.engine.containers.start(id, { consoleSize: { rows: 30, columns: 100 } });
    assert.match(await until(first, /30 100/), /^30 100\r\n/);
    await box.engine.containers.resize(id, { rows: 40, columns: 120 });
    first.client.write("a\n");
    assert.match(await until(first, /got a/), /40 120/);
    first.client.write("\u0010\u0011");
    assert.equal(await first.end, "detached");
    const second = await box.attach(id, { logs: true });
    assert.match(await until(second, /got a/), /30 100/);
    second.client.write("b\n");
    await until(second, /got b/);
    second.client.write("\u0004");
    assert.equal(await second.end, "ended");
    assert.equal(box.engine.containers.get(id).state.exitCode, 0);
    await box.engine.containers.remove(id);
  });

  test("a client that leaves does not end the container", async () => {
    const id = await box.create(["sh", "-c", "while :; do echo x; sleep 0.01; done"]);
    const { client, end } = await box.attach(id, { stdin: false });
    await box.engine.containers.start(id);
    await until({ client, end }, /x/);
    client.destroy();
    await end;
    assert.ok(box.engine.containers.get(id).state.running);
    await box.engine.containers.remove(id, { force: true });
  });

  test("a start that fails ends who waits for it", async () => {
    const id = await box.create(["nosuch"]);
    const { client, end } = await box.attach(id);
    await assert.rejects(box.engine.containers.start(id));
    assert.equal(await end, "ended");
    assert.equal((await received(client)).length, 0);
    await box.engine.containers.remove(id);
  });

  test("logs follow until the end, with tail and timestamps", async () => {
    const id = await box.start(["sh", "-c", "for i in 1 2 3 4 5; do echo $i; sleep 0.02; done"]);
    const follow = async (more: object) => {
      const { chunks } = box.engine.containers.logs(id, { stdout: true, stderr: true, follow: true, ...more });
      return payload(Buffer.concat(await Array.fromAsync(chunks, (chunk) => Buffer.from(chunk))));
    };
    assert.equal(await follow({}), "1\n2\n3\n4\n5\n");
    assert.equal(await follow({ tail: 2 }), "4\n5\n");
    assert.match(await follow({ tail: 1, timestamps: true }), /^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{9}Z 5\n$/);
    await box.engine.containers.remove(id);
  });

  test("log driver none keeps nothing, and says so", async () => {
    const id = await box.start(["echo", "x"], { host: { LogConfig: { Type: "none", Config: {} } } });
    assert.throws(() => box.engine.containers.logs(id, { stdout: true, stderr: true }), /does not support reading/);
    await box.engine.containers.remove(id, { force: true });
  });

  test("rotation keeps as many files as it may, and logs reads through them", async () => {
    const LogConfig = { Type: "json-file", Config: { "max-size": "20k", "max-file": "3" } };
    const { stdout } = await box.run(["sh", "-c", "for i in $(seq 1 20000); do echo line $i; done"], {
      host: { LogConfig },
    });
    const lines = stdout.trimEnd().split("\n");
    assert.equal(lines.at(-1), "line 20000");
    assert.ok(lines.length > 500 && lines.length < 20_000, `${lines.length} lines`);
  });

  suite("exec", () => {
    const run = async (container: string, request: ExecRequest, input?: string) => {
      const id = box.engine.execs.create(container, { attachStdout: true, attachStderr: true, ...request });
      const [client, theirs] = await box.socketPair();
      const end = box.engine.execs.attach(id).join(theirs);
      const output = received(client);
      client.end(input ?? "");
      await end;
      return { id, output: await output, view: box.engine.execs.get(id) };
    };

    test("output, exit code, user, directory, variables", async () => {
      const container = await box.start(["sleep", "1000"], { config: { Env: ["A=1"], Hostname: "box" } });
      const script = "id -un; pwd; echo $A $B $HOSTNAME; exit 4";
      const { output, view } = await run(container, {
        cmd: ["sh", "-c", script],
        user: "tester",
        workingDir: "/tmp",
        env: ["B=2"],
      });
      assert.equal(payload(output), "tester\n/tmp\n1 2 box\n");
      assert.deepEqual([view.exitCode, view.running], [4, false]);
      const cat = await run(container, { cmd: ["cat"], attachStdin: true }, "through");
      assert.equal(payload(cat.output), "through");
      await box.engine.containers.remove(container, { force: true });
    });

    test("quick ones lose nothing, many at once neither", async () => {
      const container = await box.start(["sleep", "1000"]);
      const all = await Promise.all(Array.from({ length: 30 }, (_, i) => run(container, { cmd: ["echo", String(i)] })));
      assert.deepEqual(
        all.map(({ output }) => payload(output)),
        Array.from({ length: 30 }, (_, i) => `${i}\n`),
      );
      await box.engine.containers.remove(container, { force: true });
    });

    test("a command that is not there, an exec that is not there, a container that does not run", async () => {
      const container = await box.start(["sleep", "1000"]);
      const { output, view } = await run(container, { cmd: ["nosuch"] });
      assert.match(payload(output), /^OCI runtime exec failed: .*exec: "nosuch": executable file not found in \$PATH/);
      assert.equal(view.exitCode, 127);
      assert.throws(() => box.engine.execs.attach(view.id), { kind: "conflict" });
      assert.throws(() => box.engine.execs.get("nosuch"), {
        kind: "not-found",
        message: "No such exec instance: nosuch",
      });
      await box.engine.containers.stop(container, { timeout: 0 });
      assert.throws(() => box.engine.execs.create(container, { cmd: ["true"] }), { kind: "conflict" });
      await box.engine.containers.remove(container);
      assert.throws(() => box.engine.execs.get(view.id), { kind: "not-found" });
    });

    test("a terminal, privileges, and one nobody is attached to", async () => {
      const container = await box.start(["sleep", "1000"]);
      const { output } = await run(container, {
        cmd: ["sh", "-c", "stty size; tty"],
        tty: true,
        consoleSize: { rows: 20, columns: 50 },
      });
      assert.match(output.toString(), /^20 50\r\n\/dev\/pts\/\d+\r\n$/);
      const caps = ["sh", "-c", "grep CapEff /proc/self/status"];
      const usual = payload((await run(container, { cmd: caps })).output);
      const privileged = payload((await run(container, { cmd: caps, privileged: true })).output);
      assert.match(usual, /00000000a80425fb/);
      assert.ok(privileged > usual);
      const id = box.engine.execs.create(container, { cmd: ["sh", "-c", "exit 9"] });
      await box.engine.execs.start(id);
      while (box.engine.execs.get(id).running) await new Promise((resolve) => setTimeout(resolve, 5));
      assert.equal(box.engine.execs.get(id).exitCode, 9);
      assert.deepEqual(box.actions(container).slice(-3), [
        "exec_create: sh -c exit 9",
        "exec_start: sh -c exit 9",
        "exec_die",
      ]);
      await box.engine.containers.remove(container, { force: true });
    });
  });
});

/** Reads from an attached client until what it has seen matches. */
async function until({ client }: Attached, pattern: RegExp): Promise<string> {
  let seen = "";
  return new Promise((resolve) => {
    const look = (bytes: Buffer) => {
      seen += bytes.toString("latin1");
      if (!pattern.test(seen)) return;
      client.off("data", look);
      resolve(seen);
    };
    client.on("data", look);
  });
}
