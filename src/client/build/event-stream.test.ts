import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { BuildAnswer } from "./event-stream.ts";

const result = '{"type":"result","id":"sha256:é"}\n';

test("events come a line each, however the bytes fall", async () => {
  const bytes = Buffer.from(`{"type":"step","id":"1","name":"a"}\n\n${result}`);
  for (const size of [1, 7, bytes.length]) {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    );
    const events = await Array.fromAsync(new BuildAnswer(Readable.from(pieces)).events());
    assert.deepEqual(events, [
      { type: "step", id: "1", name: "a" },
      { type: "result", id: "sha256:é" },
    ]);
  }
});

test("behind the output event come bytes of another kind", async () => {
  const tar = Buffer.from([0, 10, 123, 255]);
  const chunks = [Buffer.from(`${result}{"type":"output","output":"tar"}\n`), tar.subarray(0, 1), tar.subarray(1)];
  const answer = new BuildAnswer(Readable.from([Buffer.concat(chunks.slice(0, 2)), ...chunks.slice(2)]));
  const events = await Array.fromAsync(answer.events());
  assert.deepEqual(
    events.map(({ type }) => type),
    ["result", "output"],
  );
  assert.deepEqual(Buffer.concat(await Array.fromAsync(answer.output())), tar);
});

test("a last line without an end counts", async () => {
  const events = await Array.fromAsync(new BuildAnswer(Readable.from([Buffer.from('{"type":"error"}')])).events());
  assert.equal(events.length, 1);
});
