import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { after, test } from "node:test";
import { digestOf } from "../digest.ts";
import { ContentStore } from "./content.ts";

const directory = mkdtempSync(join(tmpdir(), "sampan-content-"));
after(() => rmSync(directory, { recursive: true }));
const content = new ContentStore(directory);
const bytes = Buffer.alloc(3_000_000, "content");
const digest = digestOf(bytes);

test("a blob is seen once it is whole and verified", async () => {
  const ingest = await content.ingest("whole");
  for (let at = 0; at < bytes.length; at += 70_000) await ingest.write(bytes.subarray(at, at + 70_000));
  assert.equal(ingest.offset, bytes.length);
  assert.ok(!content.has(digest));
  await content.commit(ingest, bytes.length, digest);
  assert.ok(content.has(digest));
  assert.deepEqual(readdirSync(join(directory, "ingest")), []);
  assert.deepEqual(await buffer(Readable.from(content.read(digest))), bytes);
  assert.deepEqual(content.list(), [digest]);
});

test("an interrupted ingest is continued by the next of its ref", async () => {
  const text = Buffer.from("interrupted and continued");
  const first = await content.ingest("resume");
  await first.write(text.subarray(0, 10));
  await first.close();
  const second = await content.ingest("resume");
  assert.equal(second.offset, 10);
  await second.write(text.subarray(10));
  await content.commit(second, text.length, digestOf(text));
  assert.deepEqual(await content.readSmall(digestOf(text), 100), text);
});

test("wrong bytes are never stored", async () => {
  const ingest = await content.ingest("wrong");
  await ingest.write(Buffer.from("other bytes"));
  await assert.rejects(content.commit(ingest, 11, digestOf("bytes")), { kind: "invalid" });
  await assert.rejects(content.commit(ingest, 12, digestOf("other bytes")), /11 bytes came, its size is 12/);
  await ingest.discard();
  assert.ok(!content.has(digestOf("bytes")));
  assert.deepEqual(readdirSync(join(directory, "ingest")), []);
});

test("other algorithms are verified by their own", async () => {
  const digest = await content.put(Buffer.from("x"), "sha512");
  assert.equal(digest, digestOf("x", "sha512"));
  assert.deepEqual(await content.readSmall(digest, 1), Buffer.from("x"));
});

test("small reads are bounded and verified", async () => {
  const stored = await content.put(Buffer.from("changed later"));
  await assert.rejects(content.readSmall(stored, 5), { kind: "invalid" });
  appendFileSync(content.pathOf(stored), "!");
  await assert.rejects(content.readSmall(stored, 100), /has been changed/);
  await content.remove(stored);
  await assert.rejects(content.readSmall(stored, 100), { kind: "not-found" });
});

test("old half-written blobs are swept, young ones stay", async () => {
  for (const name of ["old", "young"]) writeFileSync(join(directory, "ingest", name), "");
  utimesSync(join(directory, "ingest", "old"), 0, 0);
  await content.sweepIngests(60_000);
  assert.deepEqual(readdirSync(join(directory, "ingest")), ["young"]);
});

test("index.json is an OCI index, replaced in order", async () => {
  const descriptor = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest, size: bytes.length };
  await Promise.all([content.writeIndex([]), content.writeIndex([descriptor])]);
  const index = JSON.parse(readFileSync(join(directory, "index.json"), "utf8"));
  assert.deepEqual(index.manifests, [descriptor]);
  assert.deepEqual(JSON.parse(readFileSync(join(directory, "oci-layout"), "utf8")), { imageLayoutVersion: "1.0.0" });
});
