import assert from "node:assert/strict";
import { test } from "node:test";
import { PendingStart } from "./pending-start.ts";

test("who needs others comes after them, however long they take", async () => {
  const order: string[] = [];
  const says = (name: string) => async () => void order.push(name);
  const first = new PendingStart(20, [], says("first"));
  const second = new PendingStart(0, [first], says("second"));
  const third = new PendingStart(0, [first, second], says("third"));
  await third.over;
  assert.deepEqual(order, ["first", "second", "third"]);
});

test("one that is cancelled is not waited for, and does not come", async () => {
  const order: string[] = [];
  const says = (name: string) => async () => void order.push(name);
  const first = new PendingStart(1_000_000, [], says("first"));
  const second = new PendingStart(0, [first], says("second"));
  const third = new PendingStart(0, [first], says("third"));
  second.cancel();
  first.cancel();
  await third.over;
  assert.deepEqual(order, ["third"]);
});
