import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldName, journalEntry } from "./journal.ts";
import { Lines } from "./lines.ts";
import { syslogMessage } from "./syslog.ts";

function record(stream: number, text: string, time = 1n): Buffer {
  const header = Buffer.alloc(16);
  header[0] = stream;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  header.writeBigUInt64BE(time, 8);
  return Buffer.concat([header, Buffer.from(text)]);
}

const shown = (lines: ReturnType<Lines["push"]>) =>
  lines.map(({ stream, text, partial }) => `${stream} ${text}${partial ? " …" : ""}`);

test("lines of two streams that interrupt each other", () => {
  const lines = new Lines();
  const bytes = Buffer.concat([record(1, "a\nb"), record(2, "x"), record(1, "c\n"), record(2, "\n\n")]);
  assert.deepEqual(shown(lines.push(bytes)), ["1 a", "1 bc", "2 x", "2 "]);
  assert.equal(lines.pending, false);
  assert.deepEqual(shown(lines.push(record(1, "left"))), []);
  assert.equal(lines.pending, true);
  assert.deepEqual(shown(lines.end(2n)), ["1 left …"]);
  assert.equal(lines.pending, false);
});

test("a line of exactly the longest length is whole, a longer one comes in pieces", () => {
  const lengths = (text: string) =>
    new Lines().push(record(1, text)).map(({ text: { length }, partial }) => [length, partial]);
  assert.deepEqual(lengths(`${"x".repeat(16384)}\n`), [[16384, false]]);
  assert.deepEqual(lengths(`${"x".repeat(16385)}\n`), [
    [16384, true],
    [1, false],
  ]);
});

test("a value with newlines has its length in front", () => {
  const line = { stream: 1, time: 0n, text: Buffer.from("said"), partial: false };
  const entry = journalEntry(line, { LABEL: "a\nb" });
  assert.ok(entry.subarray(-"LABEL\n12345678a\nb\n".length).equals(Buffer.from("LABEL\n\x03\0\0\0\0\0\0\0a\nb\n")));
  assert.match(String(entry), /^MESSAGE=said\nPRIORITY=6\n/);
  assert.equal(fieldName("_com.example-x"), "COM_EXAMPLE_X");
});

test("syslog: priority of facility and stream", () => {
  const line = { stream: 2, time: 1_700_000_000_123_456_789n, text: Buffer.from("said"), partial: false };
  const message = String(syslogMessage(line, { format: "rfc5424micro", facility: 3, tag: "me" }));
  assert.match(message, /^<27>1 2023-11-14T22:13:20\.123456Z \S+ me \d+ me - said$/);
});
