import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { decompressed } from "./decompress.ts";

const bytes = Buffer.concat([Buffer.alloc(700_000, "text "), randomBytes(300_000)]);

async function* pieces(whole: Uint8Array, size = 1000): AsyncIterable<Uint8Array> {
  for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size);
}

async function all(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const collected: Uint8Array[] = [];
  for await (const piece of source) collected.push(piece);
  return Buffer.concat(collected);
}

const inflate = (whole: Uint8Array, size?: number) => all(decompressed(pieces(whole, size), "it"));

test("gzip, zstd and nothing are told apart by the bytes", async () => {
  for (const format of [gzipSync(bytes), zstdCompressSync(bytes), bytes]) {
    assert.deepEqual(await inflate(format), bytes);
    assert.deepEqual(await inflate(format, 1_000_000), bytes);
  }
  assert.deepEqual(await inflate(Buffer.from("a"), 1), Buffer.from("a"));
  assert.deepEqual(await inflate(Buffer.alloc(0)), Buffer.alloc(0));
  assert.deepEqual(await inflate(gzipSync("one byte at a time"), 1), Buffer.from("one byte at a time"));
});

test("several members are one stream", async () => {
  const half = bytes.length / 2;
  const parts = [bytes.subarray(0, half), bytes.subarray(half)];
  assert.deepEqual(await inflate(Buffer.concat(parts.map((part) => gzipSync(part)))), bytes);
  assert.deepEqual(await inflate(Buffer.concat(parts.map((part) => zstdCompressSync(part)))), bytes);
  const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2]);
  assert.deepEqual(await inflate(Buffer.concat([skippable, zstdCompressSync(bytes)])), bytes);
});

test("damaged and cut off data are errors", async () => {
  for (const whole of [gzipSync(bytes), zstdCompressSync(bytes)]) {
    await assert.rejects(inflate(whole.subarray(0, whole.length / 2)), {
      kind: "invalid",
      message: /it: its (gzip|zstd) data are damaged/,
    });
    const damaged = Buffer.from(whole);
    damaged.fill(0xff, 20, 60);
    await assert.rejects(inflate(damaged), { kind: "invalid" });
  }
});

test("garbage behind gzip data is passed over, and the source read to its end", { timeout: 10_000 }, async () => {
  const whole = Buffer.concat([gzipSync("text"), Buffer.alloc(3_000_000)]);
  let read = 0;
  async function* source() {
    for await (const piece of pieces(whole)) {
      read += piece.length;
      yield piece;
    }
  }
  assert.deepEqual(await all(decompressed(source(), "it")), Buffer.from("text"));
  assert.equal(read, whole.length);
});

test("xz and bzip2 without a program are refused with the remedy", async () => {
  const { PATH } = process.env;
  process.env.PATH = "/nonexistent";
  try {
    const xz = inflate(Buffer.from("fd377a585a000000", "hex"));
    await assert.rejects(xz, { kind: "unsupported", message: /there is no xz here; install xz on this machine/ });
    await assert.rejects(inflate(Buffer.from("BZh91AY&SY")), { kind: "unsupported", message: /bzip2/ });
  } finally {
    process.env.PATH = PATH;
  }
});

test("the source's error and the reader's leaving both end it", async () => {
  async function* failing(): AsyncIterable<Uint8Array> {
    yield gzipSync(bytes).subarray(0, 5000);
    throw new TypeError("source");
  }
  await assert.rejects(all(decompressed(failing(), "it")), TypeError);
  let ended = false;
  async function* endless(): AsyncIterable<Uint8Array> {
    try {
      yield* pieces(gzipSync(randomBytes(5_000_000)));
    } finally {
      ended = true;
    }
  }
  for await (const _ of decompressed(endless(), "it")) break;
  assert.ok(ended);
});
