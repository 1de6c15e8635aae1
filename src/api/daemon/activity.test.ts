import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Activity } from "./activity.ts";
import { watchIdle } from "./idle.ts";

test("what has ended twice has ended once", async () => {
  const activity = new Activity();
  const [first, second] = [activity.begin(), activity.begin()];
  first();
  first();
  assert.equal(activity.idleFor, 0);
  let settled = false;
  activity.settled(10_000).then(() => {
    settled = true;
  });
  await Promise.resolve();
  assert.ok(!settled);
  second();
  await activity.settled(10_000);
  assert.ok(settled);
});

test("nobody waits for ever for something that does not end", async () => {
  const activity = new Activity();
  activity.begin();
  await activity.settled(10);
});

test("it leaves after the idle time, not while something is under way or busy", () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  try {
    const activity = new Activity();
    let busy = false;
    let left = 0;
    watchIdle(activity, { seconds: 10, busy: () => busy, leave: () => left++ });
    mock.timers.tick(6000);
    const end = activity.begin();
    mock.timers.tick(60_000);
    assert.equal(left, 0);
    end();
    mock.timers.tick(5000);
    busy = true;
    mock.timers.tick(60_000);
    assert.equal(left, 0);
    busy = false;
    mock.timers.tick(10_000);
    assert.equal(left, 1);
    mock.timers.tick(60_000);
    assert.equal(left, 1);
  } finally {
    mock.timers.reset();
  }
});
