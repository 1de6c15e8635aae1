import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMoment, parseTimestamp } from "./timestamps.ts";

test("a fraction is nanoseconds, however many digits it has", () => {
  assert.equal(parseTimestamp("1136073600.000000001"), 1_136_073_600_000_000_001n);
  assert.equal(parseTimestamp("1136073600.5"), 1_136_073_600_500_000_000n);
  assert.equal(parseTimestamp("1136073600"), 1_136_073_600_000_000_000n);
});

test("zero and nothing are no time", () => {
  for (const text of [undefined, "", "0"]) assert.equal(parseTimestamp(text), undefined);
});

test("anything else is refused", () => {
  for (const text of ["x", "1.2.3", "1e9", " 1"]) assert.throws(() => parseTimestamp(text), /invalid syntax/);
});

test("a moment is a time, a date, or so long ago", () => {
  assert.equal(parseMoment("1000", 5), 1_000_000);
  assert.equal(parseMoment("1h30m", 10_000_000), 10_000_000 - 5_400_000);
  assert.equal(parseMoment("2006-01-02", 0), Date.parse("2006-01-02"));
  assert.equal(parseMoment("2006-01-02T15:04:05Z", 0), Date.parse("2006-01-02T15:04:05Z"));
  assert.throws(() => parseMoment("yesterday", 0), /neither a time nor a duration/);
});
