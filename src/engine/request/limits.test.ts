import assert from "node:assert/strict";
import { test } from "node:test";
import { SampanError } from "../../errors/index.ts";
import type { HostConfigRequest } from "../config.ts";
import { validateLimits, withSwapDefault } from "./limits.ts";
import { normaliseHostConfig } from "./normalise.ts";
import { resourcesOf } from "./resources.ts";

const machine = { cpus: 2, onlineCpus: "0-1", onlineMems: "0" };
const mebibyte = 1024 * 1024;

const check = (request: HostConfigRequest) => validateLimits(normaliseHostConfig(request), machine);

const refused: readonly (readonly [HostConfigRequest, string])[] = [
  [{ Memory: 5 * mebibyte }, "Minimum memory limit allowed is 6MB"],
  [
    { Memory: 64 * mebibyte, MemorySwap: 32 * mebibyte },
    "Minimum memoryswap limit should be larger than memory limit, see usage",
  ],
  [{ MemorySwap: 64 * mebibyte }, "You should always set the Memory limit when using Memoryswap limit, see usage"],
  [{ MemorySwappiness: 101 }, "Invalid value: 101, valid memory swappiness range is 0-100"],
  [
    { Memory: 64 * mebibyte, MemoryReservation: 65 * mebibyte },
    "Minimum memory limit can not be less than memory reservation limit, see usage",
  ],
  [{ NanoCpus: 3e9 }, "range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available"],
  [{ NanoCpus: 1e9, CpuPeriod: 1000 }, "Conflicting options: Nano CPUs and CPU Period cannot both be set"],
  [{ CpuQuota: 999 }, "CPU cfs quota can not be less than 1ms (i.e. 1000)"],
  [{ CpusetCpus: "0-" }, "Invalid value 0- for cpuset cpus"],
  [{ CpusetCpus: "0,2" }, "Requested CPUs are not available - requested 0,2, available: 0-1"],
  [{ BlkioWeight: 9 }, "Range of blkio weight is from 10 to 1000"],
  [{ OomScoreAdj: -1001 }, "Invalid value -1001, range for oom score adj is [-1000, 1000]"],
];

for (const [request, message] of refused) {
  test(`${JSON.stringify(request)} is refused in dockerd's words`, () => {
    assert.throws(
      () => check(request),
      (error) => error instanceof SampanError && error.kind === "invalid" && error.message === message,
    );
  });
}

test("what the docker CLI sends by default is no limit", () => {
  check({ Memory: 0, MemorySwap: 0, MemorySwappiness: -1, NanoCpus: 0, PidsLimit: 0, CpusetCpus: "", BlkioWeight: 0 });
});

test("a memory limit alone limits memory and swap to twice as much", () => {
  assert.equal(withSwapDefault(normaliseHostConfig({ Memory: 100 }), true).MemorySwap, 200);
  assert.equal(withSwapDefault(normaliseHostConfig({ Memory: 100 }), false).MemorySwap, 0);
  assert.equal(withSwapDefault(normaliseHostConfig({ Memory: 100, MemorySwap: -1 }), true).MemorySwap, -1);
});

test("--cpus becomes a quota of the usual period; what was not asked for is not there", () => {
  const resources = resourcesOf(normaliseHostConfig({ NanoCpus: 5e8, PidsLimit: 10 }), []);
  assert.deepEqual(resources, { cpu: { period: 100_000, quota: 50_000 }, pids: { limit: 10 }, devices: [] });
});
