import assert from "node:assert/strict";
import { test } from "node:test";
import { normaliseHostConfig } from "./normalise.ts";
import { changesOf, mergeUpdate, refuseFixed } from "./update.ts";

const nothing = normaliseHostConfig({});
const megabyte = 1024 * 1024;

test("what is said changes, what is not stays", () => {
  const before = normaliseHostConfig({ CpuShares: 512, PidsLimit: 10, CpusetCpus: "0" });
  const after = mergeUpdate("x", before, { CpuShares: 0, NanoCpus: 5e8, CpusetCpus: "", PidsLimit: 0 });
  assert.deepEqual([after.CpuShares, after.NanoCpus, after.CpusetCpus, after.PidsLimit], [512, 5e8, "0", 0]);
  const policy = { Name: "always", MaximumRetryCount: 0 };
  assert.deepEqual(mergeUpdate("x", before, { RestartPolicy: policy }).RestartPolicy, policy);
  assert.deepEqual(mergeUpdate("x", after, { RestartPolicy: { Name: "", MaximumRetryCount: 0 } }), after);
});

test("what does not go with what holds is dockerd's conflict", () => {
  const conflict = (message: RegExp) => ({ kind: "conflict", message });
  const cpus = normaliseHostConfig({ NanoCpus: 1e9 });
  assert.throws(
    () => mergeUpdate("x", cpus, { CpuPeriod: 50_000 }),
    conflict(/^Cannot update container x: Conflicting/),
  );
  assert.throws(
    () => mergeUpdate("x", normaliseHostConfig({ CpuQuota: 5000 }), { NanoCpus: 1e9 }),
    conflict(/CPU Quota/),
  );
  assert.throws(() => mergeUpdate("x", nothing, { Memory: 20 * megabyte }), conflict(/update the memoryswap/));
  const limited = normaliseHostConfig({ Memory: 20 * megabyte, MemorySwap: 40 * megabyte });
  assert.equal(mergeUpdate("x", limited, { Memory: 30 * megabyte }).Memory, 30 * megabyte);
  assert.throws(() => mergeUpdate("x", limited, { Memory: 50 * megabyte }), conflict(/update the memoryswap/));
  const removed = normaliseHostConfig({ AutoRemove: true });
  const always = { RestartPolicy: { Name: "always", MaximumRetryCount: 0 } };
  assert.throws(() => mergeUpdate("x", removed, always), conflict(/AutoRemove is enabled/));
});

test("what is fixed at creation is refused, zeros of Go's clients are not", () => {
  refuseFixed({ Devices: [], Ulimits: null, OomKillDisable: null, CpuCount: 0, CgroupParent: "" });
  assert.throws(() => refuseFixed({ Ulimits: [{ Name: "nofile", Soft: 1, Hard: 1 }] }), { kind: "unsupported" });
  assert.throws(() => refuseFixed({ OomKillDisable: true }), /OomKillDisable: it is fixed/);
});

test("only what differs is written, memory and swap together", () => {
  const devices: [] = [];
  const before = { memory: { limit: 1, swap: 2, reservation: 1 }, cpu: { shares: 5 }, pids: { limit: 7 }, devices };
  assert.deepEqual(changesOf(before, before), {});
  assert.deepEqual(changesOf(before, { ...before, cpu: { shares: 5, quota: 9 } }), { cpu: { quota: 9 } });
  assert.deepEqual(changesOf(before, { ...before, memory: { ...before.memory, swap: 3 } }), {
    memory: { limit: 1, swap: 3 },
  });
  const { pids: _pids, ...unlimited } = before;
  assert.deepEqual(changesOf(before, unlimited), { pids: { limit: 0 } });
});
