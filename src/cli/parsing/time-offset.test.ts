import assert from "node:assert/strict";
import { test } from "node:test";
import { kindOf } from "../../errors/index.ts";
import { parseTimeOffset, timeOffsets } from "./time-offset.ts";

test("clocks with durations, or one for both", () => {
  assert.deepEqual(parseTimeOffset("monotonic=24h,boottime=-1h30m"), {
    Monotonic: { Secs: 86_400, Nanosecs: 0 },
    Boottime: { Secs: -5400, Nanosecs: 0 },
  });
  const week = { Secs: 604_800, Nanosecs: 0 };
  assert.deepEqual(parseTimeOffset("7d"), { Monotonic: week, Boottime: week });
  assert.deepEqual(parseTimeOffset("boottime=1d1.5s"), { Boottime: { Secs: 86_401, Nanosecs: 500_000_000 } });
  assert.deepEqual(parseTimeOffset("boottime=-1ns"), { Boottime: { Secs: -1, Nanosecs: 999_999_999 } });
  assert.deepEqual(parseTimeOffset("monotonic=+20000d"), { Monotonic: { Secs: 1_728_000_000, Nanosecs: 0 } });
});

test("what is no clock and no duration is refused", () => {
  for (const text of ["", "5", "d", "monotonic", "monotonic=", "realtime=1h", "monotonic=1h,", "=1h", "1d-1h", "--1h"])
    assert.throws(
      () => parseTimeOffset(text),
      (error) => kindOf(error) === "invalid",
      text,
    );
});

test("the last of each clock holds; nothing said is nothing", () => {
  assert.equal(timeOffsets([]), undefined);
  assert.deepEqual(timeOffsets([parseTimeOffset("1h"), parseTimeOffset("boottime=2h")]), {
    Monotonic: { Secs: 3600, Nanosecs: 0 },
    Boottime: { Secs: 7200, Nanosecs: 0 },
  });
});
