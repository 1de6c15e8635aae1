import assert from "node:assert/strict";
import { test } from "node:test";
import { Unframer } from "./unframe.ts";

function frame(stream: number, text: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

test("frames are taken apart wherever they are cut", () => {
  const bytes = Buffer.concat([frame(1, "out"), frame(2, ""), frame(2, "error"), frame(1, "more")]);
  for (let size = 1; size <= bytes.length; size++) {
    const said = { stdout: "", stderr: "" };
    const unframer = new Unframer((stream, data) => {
      said[stream] += data.toString();
    });
    for (let at = 0; at < bytes.length; at += size) unframer.push(bytes.subarray(at, at + size));
    assert.deepEqual(said, { stdout: "outmore", stderr: "error" });
  }
});
