import assert from "node:assert/strict";
import { test } from "node:test";
import type { Executor, Session } from "../../src/kernel/executor.ts";
import { ReadyWorkers } from "../../src/runtime/ready-workers.ts";
import { testExecutor } from "../support/helper.ts";
import { eventually } from "../support/process.ts";

const { executor } = testExecutor();

/** The real executor, and the workers that it was asked for. */
function counting(): { opened: Session[]; executor: Executor } {
  const opened: Session[] = [];
  const open = async () => {
    const session = await executor.open();
    opened.push(session);
    return session;
  };
  return { opened, executor: Object.create(executor, { open: { value: open } }) };
}

test("a crowd of starts has no more workers made than it takes and wait afterwards", async (t) => {
  const { opened, executor } = counting();
  const workers = new ReadyWorkers(executor);
  t.after(() => {
    workers.close();
    for (const session of opened) session.close();
  });
  const taken = new Set<Session>();
  const take = async () => {
    const worker = await workers.take("network");
    taken.add(worker.session);
    return worker;
  };
  for (let round = 0; round < 5; round++) await Promise.all(Array.from({ length: 16 }, take));
  assert.equal(taken.size, 80, "nobody shares a worker");

  const waiting = () => opened.filter((session) => !taken.has(session));
  await eventually("two wait", async () => {
    const { network } = await take();
    return network !== undefined && waiting().length > 0;
  });
  await eventually("who was taken is replaced", () => waiting().length === 2);
  assert.ok(
    waiting().every((session) => !session.ended),
    "none was made to be given up",
  );
});
