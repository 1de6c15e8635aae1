import assert from "node:assert/strict";
import { test } from "node:test";
import { Batch } from "./batch.ts";
import { literal } from "./literal.ts";
import { Program } from "./program.ts";

test("a batch is on the wire what a program of the same steps is", () => {
  const batch = new Batch("test", { capacity: 64, results: 0, note: String });
  const program = new Program("test");
  const text = batch.text("a/file");
  const tolerated = batch.sys("openat", -100, text, 0o2000100, 0o644);
  batch.tolerate(tolerated, 17, 2);
  batch.full("pwrite64", 3, batch.append(Buffer.from("hello")), 5, 2 ** 40 + 7);
  batch.align();
  const ref = program.text("a/file");
  const bytes = program.bytes(Buffer.from("hello"));
  program.call("openat", [-100, ref, 0o2000100, 0o644], { note: "", tolerate: ["EEXIST", "ENOENT"] });
  program.call("pwrite64", [3, bytes, 5, 2 ** 40 + 7], { note: "", full: true });
  const expected = program.encode();
  const steps = expected.subarray(32, 32 + 3 * 80);
  const encoded = Buffer.concat(batch.encode());
  // The text of a program fills whole words, that of a batch does not: the second address differs.
  const address = 80 + 32 + 8;
  assert.equal(encoded.subarray(32).readUInt32LE(address), 7);
  steps.writeUInt32LE(7, address);
  assert.deepEqual(encoded.subarray(32, 32 + 3 * 80), steps);
});

test("failures find their step and what it was about", () => {
  const batch = new Batch("test", { capacity: 16, results: 1, note: (subject) => `<${subject}>` });
  batch.about("first");
  batch.into(batch.sys("openat", -100, batch.text("long enough to grow the memory"), 0, 0), 0);
  batch.about("second");
  batch.sys("close", batch.variable(0));
  batch.encode();
  const first = batch.step(0);
  assert.ok(first);
  assert.equal(first.note, "<first>");
  assert.equal(literal(first), 'openat(-100, "long enough to grow the memory")');
  assert.equal(batch.step(1)?.note, "<second>");
  assert.equal(batch.step(9), undefined);
  batch.reset();
  assert.equal(batch.count, 0);
});

test("words are signed 64-bit numbers", () => {
  const batch = new Batch("test", { capacity: 64, results: 0, note: String });
  batch.append(Buffer.from("x"));
  batch.words([-1, 2 ** 33 + 5, -(2 ** 40)]);
  const [, data] = batch.encode();
  assert.deepEqual(
    [8, 16, 24].map((at) => data?.readBigInt64LE(at)),
    [-1n, 2n ** 33n + 5n, -(2n ** 40n)],
  );
});
