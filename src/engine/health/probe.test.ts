import assert from "node:assert/strict";
import { test } from "node:test";
import { mergeHealthcheck, probeOf, validateHealthcheck } from "./probe.ts";

const second = 1_000_000_000;

test("what is probed, with dockerd's defaults", () => {
  assert.deepEqual(probeOf({ Healthcheck: { Test: ["CMD", "check", "-v"], Interval: 2 * second } }), {
    command: ["check", "-v"],
    interval: 2000,
    startInterval: 5000,
    startPeriod: 0,
    timeout: 30_000,
    retries: 3,
  });
  const shell = probeOf({ Healthcheck: { Test: ["CMD-SHELL", "curl x || exit 1"] } });
  assert.deepEqual(shell?.command, ["/bin/sh", "-c", "curl x || exit 1"]);
  const own = probeOf({ Healthcheck: { Test: ["CMD-SHELL", "x"] }, Shell: ["/bin/bash", "-lc"] });
  assert.deepEqual(own?.command, ["/bin/bash", "-lc", "x"]);
});

test("nothing is probed without a command", () => {
  for (const Healthcheck of [
    undefined,
    {},
    { Test: [] },
    { Test: ["NONE"] },
    { Test: ["CMD"] },
    { Interval: second },
  ]) {
    assert.equal(probeOf({ Healthcheck }), undefined);
  }
});

test("the request wins over the image where it says something", () => {
  const image = { Test: ["CMD", "a"], Interval: 5 * second, Retries: 7 };
  assert.deepEqual(mergeHealthcheck({ Interval: second, Retries: 0 }, image), { ...image, Interval: second });
  assert.deepEqual(mergeHealthcheck({ Test: ["CMD", "b"] }, image), { ...image, Test: ["CMD", "b"] });
  assert.deepEqual(mergeHealthcheck({ Test: ["NONE"] }, image), { Test: ["NONE"] });
  assert.equal(mergeHealthcheck(undefined, image), image);
  assert.equal(mergeHealthcheck(undefined, undefined), undefined);
});

test("times and counts that cannot be", () => {
  validateHealthcheck({ Interval: 0, Timeout: second });
  assert.throws(() => validateHealthcheck({ Interval: 5 }), {
    message: "Interval in Healthcheck cannot be less than 1ms",
  });
  assert.throws(() => validateHealthcheck({ Retries: -1 }), { message: "Retries in Healthcheck cannot be negative" });
});
