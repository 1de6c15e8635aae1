import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { SampanError } from "../../errors/index.ts";
import { EngineOwners } from "./owners.ts";

function scene(entries: Record<string, string>) {
  const containers = new Map(Object.entries(entries));
  const errors: string[] = [];
  const log = { error: (_: object, message: string) => errors.push(message), warn: () => {}, debug: () => {} };
  const store = {
    owners: () => [...containers].map(([id, owner]) => ({ id, owner })),
    remove: async (id: string) => {
      if (id === "stuck") throw new SampanError("internal", "it does not go");
      containers.delete(id);
    },
  };
  return { containers, errors, owners: new EngineOwners(store, log) };
}

test("an owner's containers go when its last connection ends, those of others stay", async () => {
  const { containers, owners } = scene({ a: "one", b: "two", c: "one" });
  const first = owners.claim("one");
  const second = owners.claim("one");
  first();
  first();
  assert.equal(containers.size, 3, "one connection is left, however often the other one ends");
  second();
  await setTimeout(0);
  assert.deepEqual([...containers.keys()], ["b"]);
});

test("a daemon that has just started waits for owners, and forgets to when they come", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { containers, owners } = scene({ a: "lives", b: "gone" });
  owners.recover();
  context.mock.timers.tick(9000);
  owners.claim("lives");
  assert.equal(containers.size, 2);
  context.mock.timers.tick(1000);
  await Promise.resolve();
  assert.deepEqual([...containers.keys()], ["a"]);
});

test("a daemon that leaves removes nothing", async () => {
  const { containers, owners } = scene({ a: "one" });
  const end = owners.claim("one");
  owners.close();
  end();
  await setTimeout(0);
  assert.equal(containers.size, 1);
});

test("a container that cannot be removed is told, and keeps no other one", async () => {
  const { containers, errors, owners } = scene({ stuck: "one", b: "one" });
  await owners.release("one");
  assert.deepEqual([...containers.keys()], ["stuck"]);
  assert.deepEqual(errors, ["a container outlives its owner"]);
});
