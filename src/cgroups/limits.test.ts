import assert from "node:assert/strict";
import { test } from "node:test";
import { SampanError } from "../errors/index.ts";
import type { Available } from "./available.ts";
import { type Current, fresh, type Write } from "./limits.ts";
import { rareControllersOf } from "./limits-rare.ts";
import { limitsV1 } from "./limits-v1.ts";
import { limitsV2 } from "./limits-v2.ts";
import type { Resources } from "./resources.ts";
import { sharesToWeight, toIoWeight } from "./weight.ts";

/** A machine with every file but these, and every controller but these. */
function machine(lacking: { files?: string[]; controllers?: string[] } = {}): Available {
  return {
    missing: (controller) => (lacking.controllers?.includes(controller) ? "it is not mounted" : undefined),
    has: (_, file) => !(lacking.files ?? []).includes(file),
  };
}

const lines = (writes: readonly Write[]): string[] => writes.map(({ file, value }) => `${file} ← ${value}`);
const v1 = (resources: Resources, available = machine(), current: Current = fresh) =>
  lines(limitsV1(resources, available, current));
const v2 = (resources: Resources, available = machine(), current: Current = fresh) =>
  lines(limitsV2(resources, available, current));
const now =
  (values: Record<string, string>): Current =>
  (_, file) =>
    values[file];

const everything: Resources = {
  memory: { limit: 64 << 20, reservation: 32 << 20, swap: 128 << 20 },
  cpu: { shares: 512, quota: 50_000, period: 100_000, burst: 10_000, cpus: "0-1", mems: "0" },
  pids: { limit: 10 },
  blockIO: {
    weight: 500,
    weightDevice: [{ major: 8, minor: 0, weight: 100 }],
    throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1048576 }],
    throttleWriteIOPSDevice: [
      { major: 8, minor: 0, rate: 100 },
      { major: 8, minor: 16, rate: 0 },
    ],
  },
};

test("a container with every limit, v1", () => {
  assert.deepEqual(v1(everything, machine({ files: ["blkio.weight"] })), [
    "memory.limit_in_bytes ← 67108864",
    "memory.memsw.limit_in_bytes ← 134217728",
    "memory.soft_limit_in_bytes ← 33554432",
    "cpu.shares ← 512",
    "cpu.cfs_period_us ← 100000",
    "cpu.cfs_quota_us ← 50000",
    "cpu.cfs_burst_us ← 10000",
    "cpuset.cpus ← 0-1",
    "cpuset.mems ← 0",
    "pids.max ← 10",
    "blkio.bfq.weight ← 500",
    "blkio.bfq.weight_device ← 8:0 100",
    "blkio.throttle.read_bps_device ← 8:0 1048576",
    "blkio.throttle.write_iops_device ← 8:0 100",
    "blkio.throttle.write_iops_device ← 8:16 0",
  ]);
});

test("a container with every limit, v2", () => {
  assert.deepEqual(v2(everything, machine({ files: ["io.bfq.weight"] })), [
    "memory.max ← 67108864",
    "memory.swap.max ← 67108864",
    "memory.low ← 33554432",
    "cpu.weight ← 59",
    "cpu.max ← 50000 100000",
    "cpu.max.burst ← 10000",
    "cpuset.cpus ← 0-1",
    "cpuset.mems ← 0",
    "pids.max ← 10",
    "io.weight ← 4950",
    "io.weight ← 8:0 910",
    "io.max ← 8:0 rbps=1048576 wiops=100",
    "io.max ← 8:16 wiops=max",
  ]);
});

test("no resources, no writes", () => {
  const empty: Resources = { memory: {}, cpu: {}, blockIO: {}, unified: {} };
  assert.deepEqual([...v1(empty), ...v2(empty)], []);
});

test("no limit is -1 on v1 and max on v2, for swap too", () => {
  const resources = { memory: { limit: -1 }, pids: { limit: -1 }, cpu: { quota: -1 } };
  assert.deepEqual(v1(resources), [
    "memory.limit_in_bytes ← -1",
    "memory.memsw.limit_in_bytes ← -1",
    "cpu.cfs_quota_us ← -1",
    "pids.max ← max",
  ]);
  assert.deepEqual(v2(resources), [
    "memory.max ← max",
    "memory.swap.max ← max",
    "cpu.max ← max 100000",
    "pids.max ← max",
  ]);
});

test("v1 keeps memory ≤ memory with swap at every moment", () => {
  const living = now({ "memory.memsw.limit_in_bytes": "100" });
  const raise = v1({ memory: { limit: 200, swap: 300 } }, machine(), living);
  assert.deepEqual(raise, ["memory.memsw.limit_in_bytes ← 300", "memory.limit_in_bytes ← 200"]);
  const lower = v1({ memory: { limit: 50, swap: 60 } }, machine(), living);
  assert.deepEqual(lower, ["memory.limit_in_bytes ← 50", "memory.memsw.limit_in_bytes ← 60"]);
  const lift = v1({ memory: { limit: -1 } }, machine(), living);
  assert.deepEqual(lift, ["memory.memsw.limit_in_bytes ← -1", "memory.limit_in_bytes ← -1"]);
});

test("v2 counts swap apart, from the limit that is or is to be", () => {
  assert.deepEqual(v2({ memory: { limit: 100, swap: 100 } })[1], "memory.swap.max ← 0");
  assert.deepEqual(v2({ memory: { limit: 100, swap: -1 } })[1], "memory.swap.max ← max");
  assert.deepEqual(v2({ memory: { swap: 150 } }, machine(), now({ "memory.max": "100\n" })), ["memory.swap.max ← 50"]);
  assert.throws(() => v2({ memory: { swap: 150 } }), { kind: "invalid" });
});

test("half of a CPU limit is completed from what is set", () => {
  const living = now({ "cpu.max": "50000 100000\n" });
  assert.deepEqual(v2({ cpu: { period: 20_000 } }, machine(), living), ["cpu.max ← 50000 20000"]);
  assert.deepEqual(v2({ cpu: { quota: 70_000 } }, machine(), living), ["cpu.max ← 70000 100000"]);
});

test("idle and weight are written in the order that the kernel takes", () => {
  assert.deepEqual(v1({ cpu: { idle: 0, shares: 2 } }), ["cpu.idle ← 0", "cpu.shares ← 2"]);
  assert.deepEqual(v2({ cpu: { idle: 1, shares: 2 } }), ["cpu.weight ← 1", "cpu.idle ← 1"]);
});

test("v1 device rules: everything denied, then what is allowed", () => {
  const rules: Resources = {
    devices: [
      { allow: false, type: "a", access: "rwm" },
      { allow: true, type: "c", access: "m" },
      { allow: true, type: "c", major: 136, access: "rwm" },
    ],
  };
  assert.deepEqual(v1(rules), ["devices.deny ← a", "devices.allow ← c *:* m", "devices.allow ← c 136:* rwm"]);
  assert.deepEqual(v1({ devices: [{ allow: true, type: "a", access: "rwm" }] }), []);
});

test("v2 takes its own files as they are, a write per line, and no path", () => {
  const resources = { unified: { "memory.high": "100", "io.max": "8:0 rbps=1\n8:16 rbps=2\n" } };
  assert.deepEqual(v2(resources), ["memory.high ← 100", "io.max ← 8:0 rbps=1", "io.max ← 8:16 rbps=2"]);
  assert.throws(() => v2({ unified: { "../memory.max": "1" } }), { kind: "invalid" });
  assert.throws(() => v1(resources), { kind: "unsupported" });
});

test("what the machine lacks is named with the remedy", () => {
  const refuses = (action: () => unknown, ...patterns: RegExp[]) =>
    assert.throws(action, (error) => {
      assert.ok(error instanceof SampanError && error.kind === "unsupported");
      for (const pattern of patterns) assert.match(error.message, pattern);
      return true;
    });
  const noMemory = machine({ controllers: ["memory"] });
  refuses(() => v1({ memory: { limit: 1 << 20 } }, noMemory), /limit memory to 1 MiB/, /controller memory/);
  refuses(() => v2({ memory: { limit: 1 << 20 } }, noMemory), /controller memory/);
  const noSwap = machine({ files: ["memory.memsw.limit_in_bytes", "memory.swap.max"] });
  refuses(() => v1({ memory: { limit: 1, swap: 2 } }, noSwap), /swapaccount=1/);
  refuses(() => v2({ memory: { limit: 1, swap: 2 } }, noSwap), /swapaccount=1/);
  const noWeights = machine({ files: ["blkio.weight", "blkio.bfq.weight", "io.weight", "io.bfq.weight"] });
  refuses(() => v1({ blockIO: { weight: 10 } }, noWeights), /controller blkio/, /bfq/);
  refuses(() => v2({ blockIO: { weight: 10 } }, noWeights), /controller io/, /bfq/);
  refuses(() => v1({ cpu: { realtimeRuntime: 1 } }), /realtime/);
  refuses(() => v2({ cpu: { realtimePeriod: 1 } }), /realtime/);
});

test("limits that are lifted need no controller", () => {
  const none = machine({ controllers: ["pids"] });
  assert.deepEqual([...v1({ pids: { limit: -1 } }, none), ...v2({ pids: { limit: 0 } }, none)], []);
});

test("weights of v1 keep their meaning on v2", () => {
  assert.deepEqual([0, 2, 512, 1024, 2048, 262_144, 1e9].map(sharesToWeight), [1, 1, 59, 100, 174, 10_000, 10_000]);
  assert.deepEqual([10, 500, 1000].map(toIoWeight), [1, 4950, 10_000]);
});

test("huge pages, classes of packets and RDMA: v1 has files for all of them, v2 none for packets", () => {
  const hugepages = [{ pageSize: "2MB", limit: 4 << 20 }];
  const rdma = { mlx5_1: { hcaHandles: 3 }, ocrdma0: { hcaHandles: 0, hcaObjects: 10 }, none: {} };
  const network = { classId: 0x100001, priorities: [{ name: "eth0", priority: 5 }] };
  const ofRdma = ["rdma.max ← mlx5_1 hca_handle=3", "rdma.max ← ocrdma0 hca_handle=0 hca_object=10"];
  assert.deepEqual(v1({ hugepages, rdma, network }), [
    "hugetlb.2MB.limit_in_bytes ← 4194304",
    "hugetlb.2MB.rsvd.limit_in_bytes ← 4194304",
    "net_cls.classid ← 1048577",
    "net_prio.ifpriomap ← eth0 5",
    ...ofRdma,
  ]);
  const old = machine({ files: ["hugetlb.2MB.rsvd.max"] });
  assert.deepEqual(v2({ hugepages, rdma }, old), ["hugetlb.2MB.max ← 4194304", ...ofRdma]);
  assert.throws(() => v2({ network }), /cgroup v2 has no classes and priorities of packets/);
  assert.deepEqual(v2({ network: { priorities: [] }, hugepages: [], rdma: {} }), []);
});

test("the controllers that need more than every container has", () => {
  const network = { classId: 1, priorities: [{ name: "eth0", priority: 5 }] };
  const hugepages = [{ pageSize: "2MB", limit: 0 }];
  assert.deepEqual(rareControllersOf({ hugepages, network, rdma: { a: {} } }), [
    "hugetlb",
    "net_cls",
    "net_prio",
    "rdma",
  ]);
  assert.deepEqual(rareControllersOf({ unified: { "misc.max": "a 1", "memory.high": "1" } }), ["misc"]);
  assert.deepEqual(rareControllersOf({ memory: { limit: 1 }, network: {}, rdma: {} }), []);
});
