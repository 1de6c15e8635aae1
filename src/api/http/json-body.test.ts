import assert from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http";
import { test } from "node:test";
import { SampanError } from "../../errors/index.ts";
import { bodyLimit, readJson } from "./json-body.ts";

const json: IncomingHttpHeaders = { "content-type": "application/json", "transfer-encoding": "chunked" };

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

function refused(headers: IncomingHttpHeaders, message: RegExp, ...texts: string[]): Promise<void> {
  return assert.rejects(
    readJson(headers, chunks(...texts)),
    (error) => error instanceof SampanError && error.kind === "invalid" && message.test(error.message),
  );
}

test("JSON is read in whatever pieces it comes", async () => {
  assert.deepEqual(await readJson(json, chunks('{"Image', '":"debian"}\n')), { Image: "debian" });
});

test("a character may be torn between two pieces", async () => {
  const bytes = Buffer.from('{"a":"舢板"}');
  async function* torn(): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(0, 7);
    yield bytes.subarray(7);
  }
  assert.deepEqual(await readJson(json, torn()), { a: "舢板" });
});

test("no body is no mistake, whatever its type", async () => {
  assert.equal(await readJson({}, chunks()), undefined);
  assert.equal(await readJson({ "content-length": "0" }, chunks()), undefined);
  await refused({ "content-type": "text/plain", "content-length": "0" }, /unsupported Content-Type header \(text/);
});

test("a charset is no other type", async () => {
  const headers = { ...json, "content-type": "Application/JSON; charset=utf-8" };
  assert.deepEqual(await readJson(headers, chunks("[]")), []);
});

test("mistakes are told as dockerd tells them", async () => {
  await refused({ ...json, "content-type": "application/x-www-form-urlencoded" }, /must be 'application\/json'/, "{}");
  await refused({ "transfer-encoding": "chunked" }, /^malformed Content-Type header/, "{}");
  await refused(json, /^invalid JSON: got EOF while reading request body$/, " \n");
  await refused(json, /^invalid JSON: /, "{bad");
  await refused(json, /^unexpected content after JSON$/, "{} {}");
});

test("a body has bounds, announced or not", async () => {
  await refused({ "content-type": "application/json", "content-length": String(bodyLimit + 1) }, /larger than/, "{}");
  const megabyte = " ".repeat(1024 * 1024);
  await refused(json, /larger than/, ...Array.from({ length: 9 }, () => megabyte));
});
