import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { gzipped } from "./gzip.ts";

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function whole(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(piece);
  return Buffer.concat(pieces);
}

test("what is compressed side by side is one file, and always the same", async () => {
  const mebibyte = 1024 * 1024;
  for (const size of [0, 1, mebibyte - 1, mebibyte, mebibyte + 1, 7 * mebibyte + 12_345]) {
    const bytes = randomBytes(size);
    const first = await whole(gzipped(inPieces(bytes, 65_536)));
    assert.ok(gunzipSync(first).equals(bytes), `${size} bytes`);
    assert.ok(first.equals(await whole(gzipped(inPieces(bytes, 100_003)))), `${size} bytes in other pieces`);
  }
});

test("a source that fails fails the whole", async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(5_000_000);
    throw new Error("the disk is gone");
  }
  await assert.rejects(whole(gzipped(broken())), /the disk is gone/);
});
