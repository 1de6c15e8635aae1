import assert from "node:assert/strict";
import { test } from "node:test";
import { kindOf } from "../../errors/index.ts";
import { checkTimeOffsets, timeOffsetsOf } from "./time-offsets.ts";

test("offsets in the runtime's words; none is the machine's clocks", () => {
  assert.equal(timeOffsetsOf({}), undefined);
  assert.equal(timeOffsetsOf({ TimeOffsets: {} }), undefined);
  assert.deepEqual(timeOffsetsOf({ TimeOffsets: { Boottime: { Secs: -5, Nanosecs: 7 } } }), {
    boottime: { seconds: -5, nanoseconds: 7 },
  });
});

test("what no clock can show is refused", () => {
  const wrong = [
    { Monotonic: { Secs: -4_000_000_000, Nanosecs: 0 } },
    { Boottime: { Secs: 4_611_686_019, Nanosecs: 0 } },
    { Monotonic: { Secs: 0, Nanosecs: 1_000_000_000 } },
    { Boottime: { Secs: 0, Nanosecs: -1 } },
  ];
  for (const TimeOffsets of wrong) {
    assert.throws(
      () => checkTimeOffsets({ TimeOffsets }),
      (error: Error) => kindOf(error) === "invalid" && error.message.startsWith("Cannot honour TimeOffsets."),
    );
  }
});
