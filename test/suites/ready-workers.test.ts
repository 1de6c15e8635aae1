import assert from "node:assert/strict";
import { test } from "node:test";
import type { Executor, Session } from "../../src/kernel/executor.ts";
import { type ReadyWorker, ReadyWorkers } from "../../src/runtime/ready-workers.ts";
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

test("a crowd of starts has no worker made that nobody takes; afterwards two wait", async (t) => {
  const { opened, executor } = counting();
  const workers = new ReadyWorkers(executor);
  t.after(() => {
    workers.close();
    for (const session of opened) session.close();
  });
  const taken = new Set<Session>();
  const start = async (worker: ReadyWorker) => {
    taken.add(worker.session);
    await new Promise((resolve) => setTimeout(resolve, 1));
    return worker;
  };
  const crowd = () => Promise.all(Array.from({ length: 16 }, () => workers.lend("network", start)));
  for (let round = 0; round < 5; round++) await crowd();
  assert.equal(taken.size, 80, "nobody shares a worker");

  const waiting = () => opened.filter((session) => !taken.has(session));
  await eventually("two wait", () => waiting().length === 2);
  const { network } = await eventually("one of them is taken", async () => {
    const worker = await workers.lend("network", start);
    return worker.network && worker;
  });
  assert.ok(network, "with a network that was made ahead");
  await eventually("who was taken is replaced", () => waiting().length === 2);
  assert.ok(
    waiting().every((session) => !session.ended),
    "none was made to be given up",
  );
});

test("a start that fails is over, too", async (t) => {
  const { opened, executor } = counting();
  const workers = new ReadyWorkers(executor);
  t.after(() => {
    workers.close();
    for (const session of opened) session.close();
  });
  const failing = workers.lend("plain", async () => {
    throw new Error("no such program");
  });
  await assert.rejects(failing, /no such program/);
  await eventually("one waits", () => opened.length === 2);
});
