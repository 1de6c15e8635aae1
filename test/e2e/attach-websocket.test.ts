import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { before, test } from "node:test";
import { busybox } from "../support/images.ts";
import { RawConnection, rawRequest } from "../support/raw-http.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

before(async () => {
  await box.load(await busybox(), "busybox");
});

const upgrade = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

async function open(id: string, query: string, headers = upgrade): Promise<RawConnection> {
  const connection = await RawConnection.open(box.layout.apiSocket);
  connection.send(rawRequest("GET", `/v1.41/containers/${id}/attach/ws?${query}`, headers));
  await connection.header();
  return connection;
}

/** A client's frame: masked. */
function masked(opcode: number, text: string): Buffer {
  const payload = Buffer.from(text);
  const mask = randomBytes(4);
  const head = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 255];
  head[0] = (head[0] ?? 0) | 128;
  return Buffer.concat([
    Buffer.from([128 | opcode, ...head]),
    mask,
    payload.map((byte, i) => byte ^ (mask[i & 3] ?? 0)),
  ]);
}

/** Opcodes, and the payload of the binary frames. */
function frames(bytes: Buffer): { opcodes: number[]; text: string } {
  const opcodes: number[] = [];
  let text = "";
  for (let at = 0; at + 2 <= bytes.length; ) {
    const opcode = (bytes[at] ?? 0) & 15;
    const short = (bytes[at + 1] ?? 0) & 127;
    const start = at + (short === 126 ? 4 : 2);
    const length = short === 126 ? bytes.readUInt16BE(at + 2) : short;
    opcodes.push(opcode);
    if (opcode === 2) text += bytes.toString("utf8", start, start + length);
    at = start + length;
  }
  return { opcodes, text };
}

test("both outputs in binary frames without Docker's headers, input from text and binary frames", async () => {
  const script = "read a; echo out $a; echo err >&2; read b; echo out $b";
  const id = await box.ok("create", "-i", "--network", "none", "busybox", "sh", "-c", script);
  const connection = await open(id, "stream=1&stdin=1&stdout=1&stderr=1");
  const header = await connection.header();
  assert.match(header, /^HTTP\/1\.1 101 /);
  assert.match(header, /^Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=$/m);
  await box.ok("start", id);
  connection.send(masked(1, "one\n"));
  await connection.until("output comes", () => frames(connection.body).text.includes("err\n"));
  connection.send(masked(9, "ping"));
  connection.send(masked(2, `${"x".repeat(300)}\n`));
  await connection.end();
  const { opcodes, text } = frames(connection.body);
  assert.deepEqual(text.split("\n").toSorted(), ["", "err", "out one", `out ${"x".repeat(300)}`]);
  assert.ok(opcodes.includes(10), "a ping has its pong");
  assert.equal(opcodes.at(-1), 8);
});

test("the log is replayed, a terminal is raw", async () => {
  const id = await box.ok("run", "-d", "-t", "--network", "none", "busybox", "sh", "-c", "echo past; sleep 1000");
  await box.ok("logs", id);
  const connection = await open(id, "logs=1&stream=1&stdout=1");
  await connection.until("the past comes", () => frames(connection.body).text === "past\r\n");
  connection.send(masked(8, ""));
  await connection.end();
  assert.equal(await box.ok("inspect", "-f", "{{.State.Running}}", id), "true");
});

test("refusals are HTTP", async () => {
  const missing = await open("nosuch", "stream=1&stdout=1");
  assert.match(await missing.end(), /^HTTP\/1\.1 404 [\s\S]*No such container: nosuch/);
  const id = await box.ok("create", "--network", "none", "busybox", "true");
  const plain = await open(id, "stream=1&stdout=1", []);
  assert.match(await plain.end(), /^HTTP\/1\.1 400 [\s\S]*not websocket protocol/);
});
