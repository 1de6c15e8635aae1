import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { busybox } from "../support/images.ts";
import { framesOf, RawConnection, rawRequest } from "../support/raw-http.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });
const upgrade = ["Connection: Upgrade", "Upgrade: tcp"];
const all = "stream=1&stdin=1&stdout=1&stderr=1";

/** Creates a container that keeps its input open. */
async function create(script: string, more: object = {}): Promise<string> {
  const body = { Image: "busybox", Cmd: ["sh", "-c", script], OpenStdin: true, StdinOnce: true, ...more };
  const { status, json, text } = await box.api("POST", "/containers/create", body);
  assert.equal(status, 201, text);
  return (json as { Id: string }).Id;
}

async function start(id: string): Promise<void> {
  const { status, text } = await box.api("POST", `/containers/${id}/start`);
  assert.equal(status, 204, text);
}

async function remove(id: string): Promise<void> {
  assert.equal((await box.api("DELETE", `/containers/${id}?force=1`)).status, 204);
}

function open(): Promise<RawConnection> {
  return RawConnection.open(box.layout.apiSocket);
}

suite("connections that leave HTTP", requires("busybox"), () => {
  before(async () => {
    await box.load(await busybox(), "busybox");
  });

  for (const [form, headers] of [
    ["with Upgrade", upgrade],
    ["without Upgrade", []],
  ] as const) {
    test(`attach ${form}: input that came with the header is not lost, half-close is end of file`, async () => {
      const id = await create("cat; echo end >&2; sleep 0.2; echo late");
      const connection = await open();
      connection.send(`${rawRequest("POST", `/v1.51/containers/${id}/attach?${all}`, headers)}first `);
      const header = await connection.header();
      assert.match(header, headers.length > 0 ? /^HTTP\/1\.1 101 UPGRADED\r\n/ : /^HTTP\/1\.1 200 OK\r\n/);
      assert.match(header, headers.length > 0 ? /multiplexed-stream/ : /vnd\.docker\.raw-stream/);
      await start(id);
      connection.send("second");
      await connection.until("cat repeats", () => framesOf(connection.body).out === "first second");
      connection.closeInput();
      await connection.end();
      assert.deepEqual(framesOf(connection.body), { out: "first secondlate\n", err: "end\n" });
      await remove(id);
    });

    test(`exec ${form}: input behind the body is input, and the connection ends with the process`, async () => {
      const id = await create("sleep 1000");
      await start(id);
      const request = { AttachStdin: true, AttachStdout: true, AttachStderr: true, Cmd: ["sh", "-c", "cat; exit 3"] };
      const { json } = await box.api("POST", `/containers/${id}/exec`, request);
      const exec = (json as { Id: string }).Id;
      const connection = await open();
      connection.send(
        `${rawRequest("POST", `/exec/${exec}/start`, headers, '{"Detach":false,"Tty":false}')}GET / HTTP/1.1`,
      );
      connection.closeInput();
      await connection.end();
      assert.deepEqual(framesOf(connection.body), { out: "GET / HTTP/1.1", err: "" });
      const inspect = (await box.api("GET", `/exec/${exec}/json`)).json as { ExitCode: number; Running: boolean };
      assert.deepEqual([inspect.ExitCode, inspect.Running], [3, false]);
      await remove(id);
    });
  }

  test("the connection closes when the process ends, though the client's half is open", async () => {
    const id = await create("read line; echo got $line");
    const connection = await open();
    connection.send(rawRequest("POST", `/containers/${id}/attach?${all}`, upgrade));
    await connection.header();
    await start(id);
    connection.send("this\n");
    await connection.end();
    assert.deepEqual(framesOf(connection.body), { out: "got this\n", err: "" });
    await remove(id);
  });

  test("a terminal is raw, and older clients are told of raw streams only", async () => {
    const id = await create("stty -echo; echo ready; cat", { Tty: true });
    const connection = await open();
    connection.send(rawRequest("POST", `/containers/${id}/attach?${all}`, upgrade));
    assert.match(await connection.header(), /vnd\.docker\.raw-stream/);
    await start(id);
    await connection.until("it is ready", () => connection.body.toString() === "ready\r\n");
    connection.send("x\n\x04");
    await connection.end();
    assert.equal(connection.body.toString(), "ready\r\nx\r\n");
    await remove(id);
    const old = await create("true");
    const older = await open();
    older.send(rawRequest("POST", `/v1.41/containers/${old}/attach?${all}`, upgrade));
    assert.match(await older.header(), /vnd\.docker\.raw-stream/);
    older.close();
    await remove(old);
  });

  test("the connection may have served other requests before", async () => {
    const id = await create("cat");
    const connection = await open();
    connection.send(rawRequest("GET", "/_ping"));
    await connection.until("the ping is answered", () => connection.received.endsWith("\r\n\r\nOK"));
    connection.send(rawRequest("POST", `/containers/${id}/attach?${all}`, upgrade));
    await connection.until("it is hijacked", () => connection.received.includes("101 UPGRADED"));
    await start(id);
    connection.send("hello");
    connection.closeInput();
    const received = await connection.end();
    assert.match(received, /hello$/);
    await remove(id);
  });

  test("logs=1 replays what was written before, stream=1 follows", async () => {
    const id = await create("echo before; read line; echo after $line");
    await start(id);
    const replay = async (): Promise<string> => {
      const connection = await open();
      connection.send(rawRequest("POST", `/containers/${id}/attach?logs=1&stdout=1`, upgrade));
      await connection.end();
      return framesOf(connection.body).out;
    };
    while ((await replay()) !== "before\n") await new Promise((resolve) => setTimeout(resolve, 20));
    const connection = await open();
    connection.send(rawRequest("POST", `/containers/${id}/attach?logs=1&${all}`, upgrade));
    await connection.until("the log comes", () => framesOf(connection.body).out === "before\n");
    connection.send("x\n");
    await connection.end();
    assert.deepEqual(framesOf(connection.body), { out: "before\nafter x\n", err: "" });
    await remove(id);
  });

  test("a refusal is an HTTP answer", async () => {
    for (const headers of [upgrade, []]) {
      for (const [path, body, status, message] of [
        ["/containers/nosuch/attach", "", 404, /No such container: nosuch/],
        ["/exec/nosuch/start", "{}", 404, /No such exec instance: nosuch/],
        ["/exec/nosuch/start", "{bad", 400, /invalid JSON/],
        ["/v1.99/containers/nosuch/attach", "", 400, /client version 1\.99 is too new/],
      ] as const) {
        const connection = await open();
        connection.send(rawRequest("POST", path, headers, body));
        const received = await connection.end();
        assert.match(received, new RegExp(`^HTTP/1\\.1 ${status} `), path);
        assert.match(received, message);
        assert.match(received, /Content-Type: application\/json/);
      }
    }
  });

  test("an exec may be left alone", async () => {
    const id = await create("sleep 1000");
    await start(id);
    const { json } = await box.api("POST", `/containers/${id}/exec`, { Cmd: ["sh", "-c", "exit 4"] });
    const exec = (json as { Id: string }).Id;
    assert.equal((await box.api("POST", `/exec/${exec}/start`, { Detach: true })).status, 200);
    let code: number | null = null;
    while (code === null) {
      code = ((await box.api("GET", `/exec/${exec}/json`)).json as { ExitCode: number | null }).ExitCode;
    }
    assert.equal(code, 4);
    assert.equal((await box.api("POST", `/exec/${exec}/start`, { Detach: true })).status, 409);
    await remove(id);
  });

  test("fifty clients may be attached to one container", async () => {
    const id = await create("read line; echo got $line");
    await start(id);
    const clients: RawConnection[] = [];
    for (let i = 0; i < 50; i++) {
      const connection = await open();
      connection.send(rawRequest("POST", `/containers/${id}/attach?${all}`, upgrade));
      await connection.header();
      clients.push(connection);
    }
    clients[7]?.send("this\n");
    for (const client of clients) {
      await client.end();
      assert.equal(framesOf(client.body).out, "got this\n");
    }
    assert.doesNotMatch(box.logs(), /Warning/);
    await remove(id);
  });

  test("clients that vanish leave nothing behind", async () => {
    const id = await create("while :; do echo tick; sleep 0.01; done");
    await start(id);
    for (let i = 0; i < 20; i++) {
      const connection = await open();
      connection.send(rawRequest("POST", `/containers/${id}/attach?${all}`, upgrade));
      await connection.header();
      connection.close();
    }
    const state = (await box.api("GET", `/containers/${id}/json`)).json as { State: { Running: boolean } };
    assert.equal(state.State.Running, true);
    await remove(id);
  });
});
