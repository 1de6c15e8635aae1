import assert from "node:assert/strict";
import { test } from "node:test";
import { resourcesShape } from "../config/resources.ts";
import { resourcesOf } from "./resources.ts";

const translate = (document: object) => resourcesOf(resourcesShape(document, "linux.resources"));

test("what is 0 or empty is as good as absent, but for what 0 says", () => {
  const resources = translate({
    memory: { limit: 0, swap: 0, swappiness: 0, disableOOMKiller: false },
    cpu: { shares: 0, quota: 0, cpus: "", idle: 0 },
    pids: { limit: 0 },
    blockIO: { weight: 0 },
  });
  assert.deepEqual(resources.memory, { swappiness: 0 });
  assert.deepEqual(resources.cpu, { idle: 0 });
  assert.deepEqual(resources.pids, { limit: 0 });
  assert.equal(resources.blockIO?.weight, undefined);
});

test("limits go through as they are", () => {
  const resources = translate({
    memory: { limit: 1000, swap: -1 },
    cpu: { quota: 5, period: 10 },
    unified: { "memory.high": "1" },
  });
  assert.deepEqual(resources, {
    memory: { limit: 1000, swap: -1 },
    cpu: { quota: 5, period: 10 },
    unified: { "memory.high": "1" },
  });
});

test("rules of devices come before those that every container has", () => {
  const { devices = [] } = translate({
    devices: [
      { allow: false, access: "rwm" },
      { allow: true, type: "c", major: 10, minor: -1, access: "r" },
    ],
  });
  assert.deepEqual(devices.slice(0, 2), [
    { allow: false, type: "a", access: "rwm" },
    { allow: true, type: "c", major: 10, access: "r" },
  ]);
  assert.ok(devices.some(({ major, minor, access }) => major === 1 && minor === 3 && access === "rwm"));
  assert.equal(translate({}).devices, undefined);
});
