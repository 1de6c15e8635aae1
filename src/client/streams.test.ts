import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { kindOf } from "../errors/index.ts";
import { ApiError, connectionError } from "./api-error.ts";
import { FrameDecoder } from "./frames.ts";
import { copyOutput } from "./hijack.ts";
import { chooseHost, parseHost } from "./host.ts";
import { jsonLines } from "./json-lines.ts";
import { queryString } from "./query.ts";

function frame(stream: number, text: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

test("frames are taken apart wherever the connection cuts them", () => {
  const wire = Buffer.concat([frame(1, "out"), frame(2, ""), frame(2, "error"), frame(1, "more")]);
  for (let size = 1; size <= wire.length; size++) {
    const texts = { 1: "", 2: "" } as Record<number, string>;
    const decoder = new FrameDecoder((stream, payload) => {
      texts[stream] += Buffer.from(payload).toString();
    });
    for (let at = 0; at < wire.length; at += size) decoder.push(wire.subarray(at, at + size));
    assert.deepEqual(texts, { 1: "outmore", 2: "error" });
    assert.ok(decoder.complete);
  }
});

test("bytes that are no frame are refused", () => {
  assert.throws(() => new FrameDecoder(() => {}).push(Buffer.from("GET / HTTP")), /unknown stream/);
});

test("output goes where it belongs, and waits for slow destinations", async () => {
  const source = new PassThrough();
  const stdout = new PassThrough({ highWaterMark: 1 });
  const stderr = new PassThrough();
  const copied = copyOutput(source, { stdout, stderr }, true);
  source.end(Buffer.concat([frame(1, "slow"), frame(2, "oops")]));
  let text = "";
  stdout.on("data", (chunk) => {
    text += chunk;
  });
  await copied;
  assert.equal(text, "slow");
  assert.equal(String(stderr.read()), "oops");
});

test("a destination that breaks while the copy waits for it does not hold it up", { timeout: 5000 }, async () => {
  const source = new PassThrough();
  const stdout = new PassThrough({ highWaterMark: 1 });
  const stderr = new PassThrough({ highWaterMark: 1 });
  const copied = copyOutput(source, { stdout, stderr }, true);
  source.write(Buffer.concat(Array.from({ length: 20 }, () => frame(1, "nobody reads this"))));
  await new Promise(setImmediate);
  assert.equal(source.isPaused(), true);
  assert.equal(stdout.listenerCount("drain"), 1, "it waits once, however many frames there were");
  stdout.destroy();
  source.end();
  await copied;
});

test("JSON lines may be cut anywhere and end without a line feed", async () => {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (const byte of Buffer.from('{"status":"ä"}\r\n\r\n{"id":"b"}')) yield Uint8Array.of(byte);
  }
  const found: unknown[] = [];
  for await (const object of jsonLines(chunks())) found.push(object);
  assert.deepEqual(found, [{ status: "ä" }, { id: "b" }]);
});

test("query strings leave out what is absent and repeat lists", () => {
  assert.equal(
    queryString({ a: 1, b: undefined, c: ["x y", "z"], d: { e: ["f"] } }),
    "?a=1&c=x%20y&c=z&d=%7B%22e%22%3A%5B%22f%22%5D%7D",
  );
  assert.equal(queryString({}), "");
});

test("a host is a Unix socket, the explicit one first", () => {
  assert.equal(parseHost("unix:///run/x.sock"), "/run/x.sock");
  for (const host of ["tcp://localhost:2375", "relative.sock", "", "unix://x"]) {
    assert.throws(
      () => parseHost(host),
      (error) => kindOf(error) === "invalid",
    );
  }
  assert.deepEqual(chooseHost({ host: "/a" }, { SAMPAN_HOST: "/b" }), { socketPath: "/a", explicit: true });
  assert.deepEqual(chooseHost({}, { SAMPAN_HOST: "unix:///b" }), { socketPath: "/b", explicit: true });
  assert.deepEqual(chooseHost({ run: "/r" }, {}), { socketPath: "/r/sampan.sock", explicit: false });
});

test("errors of the API keep their kind and message", () => {
  const error = new ApiError(404, '{"message":"No such container: x"}');
  assert.equal(error.kind, "not-found");
  assert.equal(error.message, "No such container: x");
  assert.equal(new ApiError(418, "teapot").kind, "internal");
  assert.match(new ApiError(500, "").message, /status 500/);
});

test("a daemon that is not there is told with the remedy", () => {
  const cause = Object.assign(new Error("connect ENOENT"), { code: "ENOENT" });
  const error = connectionError("/run/x.sock", cause);
  assert.equal(kindOf(error), "unavailable");
  assert.match(error.message, /^Cannot connect to the Sampan daemon at unix:\/\/\/run\/x\.sock: .*ENOENT/);
});
