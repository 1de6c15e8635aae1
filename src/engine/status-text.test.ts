import assert from "node:assert/strict";
import { test } from "node:test";
import { remainingDelay, restartDelay, startsWithDaemon } from "./container/restart-policy.ts";
import { newborn } from "./records/record.ts";
import { humanDuration } from "./status-text.ts";
import { never, nowNs, rfc3339, rfc3339Fixed } from "./time.ts";

test("durations as docker ps prints them", () => {
  const known: readonly (readonly [number, string])[] = [
    [0.4, "Less than a second"],
    [1, "1 second"],
    [59, "59 seconds"],
    [60, "About a minute"],
    [150, "2 minutes"],
    [3600, "About an hour"],
    [7200, "2 hours"],
    [47 * 3600, "47 hours"],
    [3 * 86400, "3 days"],
    [20 * 86400, "2 weeks"],
    [90 * 86400, "3 months"],
    [800 * 86400, "2 years"],
  ];
  for (const [seconds, text] of known) assert.equal(humanDuration(seconds), text);
});

test("times in nanoseconds", () => {
  assert.equal(rfc3339(0n), never);
  assert.equal(rfc3339(1_500_000_000n), "1970-01-01T00:00:01.5Z");
  assert.equal(rfc3339(2_000_000_000n), "1970-01-01T00:00:02Z");
  assert.equal(rfc3339Fixed(1n), "1970-01-01T00:00:00.000000001Z");
  const [a, b] = [nowNs(), nowNs()];
  assert.ok(b > a && Math.abs(Number(b / 1_000_000n) - Date.now()) < 1000);
});

test("restarts back off, and stop when somebody stopped the container", () => {
  const always = { Name: "always", MaximumRetryCount: 0 };
  const failed = { ...newborn, status: "exited" as const, exitCode: 1, startedAt: 1n, finishedAt: 2n };
  assert.equal(restartDelay(always, failed), 100);
  assert.equal(restartDelay(always, { ...failed, restarts: 3, backOff: 400 }), 800);
  assert.equal(restartDelay(always, { ...failed, restarts: 30, backOff: 51_200 }), 60_000);
  assert.equal(restartDelay(always, { ...failed, restarts: 30, backOff: 60_000 }), 60_000);
  const settled = { ...failed, restarts: 30, backOff: 60_000, finishedAt: 20_000_000_000n };
  assert.equal(restartDelay(always, settled), 100);
  assert.equal(restartDelay(always, { ...failed, restarts: 31, backOff: 100 }), 200);
  assert.equal(restartDelay(always, { ...failed, restarts: 0, backOff: 6400 }), 100);
  assert.equal(restartDelay(always, { ...failed, stopped: true }), undefined);
  assert.equal(restartDelay({ Name: "no", MaximumRetryCount: 0 }, failed), undefined);
  const twice = { Name: "on-failure", MaximumRetryCount: 2 };
  assert.equal(restartDelay(twice, { ...failed, exitCode: 0 }), undefined);
  assert.equal(restartDelay(twice, { ...failed, restarts: 2 }), undefined);
  assert.ok(startsWithDaemon(always, { ...failed, stopped: true }));
  assert.ok(!startsWithDaemon({ ...always, Name: "unless-stopped" }, { ...failed, stopped: true }));
  assert.ok(!startsWithDaemon(twice, { ...failed, restarts: 2 }));
  assert.ok(startsWithDaemon(twice, { ...failed, restarts: 2, status: "restarting" }));
});

test("a daemon that takes over waits as long as the one before would have", () => {
  const waiting = { ...newborn, status: "restarting" as const, finishedAt: 1_000_000_000n, backOff: 400 };
  assert.equal(remainingDelay(waiting, 1_100_000_000n), 300);
  assert.equal(remainingDelay(waiting, 9_000_000_000n), 0);
  assert.equal(remainingDelay(waiting, 0n), 400);
  assert.equal(remainingDelay({ ...waiting, status: "exited" }, 1_100_000_000n), 0);
});
