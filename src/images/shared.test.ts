import assert from "node:assert/strict";
import { test } from "node:test";
import { Shared } from "./shared.ts";
import { Slots } from "./slots.ts";

function work() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let starts = 0;
  const start = (signal: AbortSignal) => {
    starts++;
    signal.addEventListener("abort", () => reject(new TypeError("aborted")));
    promise.catch(() => undefined);
    return { done: promise };
  };
  return { start, resolve, starts: () => starts };
}

test("work is done once for all who want it", async () => {
  const shared = new Shared<{ done: Promise<string> }>();
  const { start, resolve, starts } = work();
  const [a, b] = [await shared.join("k", start), await shared.join("k", start)];
  assert.equal(a.flight, b.flight);
  await a.leave();
  resolve("result");
  assert.equal(await b.flight.done, "result");
  assert.equal(starts(), 1);
  await b.leave();
});

test("it is aborted when the last one leaves, and can be done anew", async () => {
  const shared = new Shared<{ done: Promise<string> }>();
  const first = work();
  const member = await shared.join("k", first.start);
  await Promise.all([member.leave(), member.leave()]);
  await assert.rejects(member.flight.done, TypeError);
  const second = work();
  await shared.join("k", second.start);
  assert.equal(second.starts(), 1);
});

test("places are given in order, back once, and not to who has left", async () => {
  const slots = new Slots(1);
  const order: string[] = [];
  const { signal } = new AbortController();
  const gone = new AbortController();
  const free = await slots.take(signal);
  const left = slots.take(gone.signal);
  const second = slots.take(signal).then((give) => {
    order.push("second");
    give();
    give();
  });
  const third = slots.take(signal).then((give) => {
    order.push("third");
    give();
  });
  assert.ok(slots.full);
  gone.abort();
  await assert.rejects(left, { kind: "cancelled" });
  free();
  await Promise.all([second, third]);
  assert.deepEqual(order, ["second", "third"]);
  await slots.take(signal);
  assert.ok(slots.full);
});
