import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { Scheduler } from "./scheduler.ts";

test("in order, never early, and not when cancelled", async () => {
  const scheduler = new Scheduler();
  const began = performance.now();
  const done: [string, number][] = [];
  const note = (name: string) => () => done.push([name, performance.now() - began]);
  scheduler.after(120, note("late"));
  const cancel = scheduler.after(60, note("cancelled"));
  scheduler.after(40, note("early"));
  scheduler.after(0, note("at once"));
  cancel();
  await setTimeout(300);
  assert.deepEqual(
    done.map(([name]) => name),
    ["at once", "early", "late"],
  );
  for (const [index, due] of [0, 40, 120].entries()) assert.ok((done[index]?.[1] ?? 0) >= due - 1);
  scheduler.close();
});

test("a thousand containers' probes wake the daemon as often as a few", async () => {
  const timers = mock.method(globalThis, "setTimeout");
  const scheduler = new Scheduler();
  let runs = 0;
  const begin = () => {
    scheduler.after(100, () => {
      runs++;
      begin();
    });
  };
  for (let container = 0; container < 1000; container++) begin();
  await setTimeout(1050);
  scheduler.close();
  const wakeUps = timers.mock.callCount();
  mock.restoreAll();
  assert.ok(runs >= 4000, `${runs} probes`);
  assert.ok(wakeUps <= 45, `${wakeUps} timers for ${runs} probes`);
});
