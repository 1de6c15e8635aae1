import assert from "node:assert/strict";
import { test } from "node:test";
import { literal } from "../kernel/literal.ts";
import { Program } from "../kernel/program.ts";
import type { Machine } from "./machine.ts";
import type { CgroupLayout } from "./types.ts";
import { CgroupsV1 } from "./v1.ts";
import { CgroupsV2 } from "./v2.ts";

function machine(layout: CgroupLayout): Machine {
  return { layout, parent: "/sampan", available: { missing: () => undefined, has: () => true }, prepare: () => {} };
}

const two = machine({
  version: "v1",
  mode: "v1",
  own: "/",
  hierarchies: [
    { type: "cgroup", mountPoint: "/cg/memory", directory: "memory", controllers: ["memory"], readOnly: false },
    { type: "cgroup", mountPoint: "/cg/devices", directory: "devices", controllers: ["devices"], readOnly: false },
  ],
});
const one = machine({
  version: "v2",
  mode: "v2",
  own: "/",
  hierarchies: [{ type: "cgroup2", mountPoint: "/cg", directory: "", controllers: ["memory"], readOnly: false }],
});

/** The calls of a program without what every line has. */
function calls(p: Program): string[] {
  return p.steps.map((step) =>
    literal(step)
      .replaceAll("AT_FDCWD, ", "")
      .replaceAll(/, O_\S+, 0\)/g, ")"),
  );
}

const resources = {
  memory: { limit: 1 << 20 },
  devices: [
    { allow: false, type: "a", access: "rwm" },
    { allow: true, type: "c", major: 1, minor: 3, access: "rw" },
    { allow: true, type: "c", major: 1, minor: 5, access: "r" },
  ],
} as const;

test("v1: a directory in each hierarchy, limits, then the process", () => {
  const p = new Program("test");
  const cgroups = new CgroupsV1(two);
  cgroups.create(p, "/sampan/x", resources);
  assert.equal(cgroups.bornIn(), undefined);
  cgroups.enter(p, "/sampan/x");
  assert.deepEqual(calls(p), [
    'mkdirat("/cg/memory/sampan/x", 493)',
    'mkdirat("/cg/devices/sampan/x", 493)',
    'openat("/cg/memory/sampan/x/memory.limit_in_bytes")',
    'write($openat, "1048576", 7)',
    "close($openat)",
    'openat("/cg/devices/sampan/x/devices.deny")',
    'write($openat, "a", 1)',
    "close($openat)",
    'openat("/cg/devices/sampan/x/devices.allow")',
    'write($openat, "c 1:3 rw", 8)',
    'write($openat, "c 1:5 r", 7)',
    "close($openat)",
    'openat("/cg/memory/sampan/x/tasks")',
    'write($openat, "0", 1)',
    "close($openat)",
    'openat("/cg/devices/sampan/x/tasks")',
    'write($openat, "0", 1)',
    "close($openat)",
  ]);
  assert.ok(p.steps.every(({ concept, note }) => concept === "cgroup" && note !== ""));
  p.encode();
});

test("v2: one directory, limits, the device program, and a descriptor to be born in", () => {
  const p = new Program("test");
  const cgroups = new CgroupsV2(one);
  cgroups.create(p, "/sampan/x", { memory: resources.memory });
  assert.ok(cgroups.bornIn(p, "/sampan/x"));
  cgroups.enter();
  assert.deepEqual(calls(p), [
    'mkdirat("/cg/sampan/x", 493)',
    'openat("/cg/sampan/x/memory.max")',
    'write($openat, "1048576", 7)',
    "close($openat)",
    'openat("/cg/sampan/x")',
  ]);
  p.encode();
});

test("after the end the directories go, whatever is left of them", () => {
  const p = new Program("test");
  const cgroups = new CgroupsV1(two);
  cgroups.remove(p, "/sampan/x");
  assert.deepEqual(calls(p), [
    'unlinkat("/cg/memory/sampan/x", AT_REMOVEDIR)',
    'unlinkat("/cg/devices/sampan/x", AT_REMOVEDIR)',
  ]);
  p.encode();
  assert.equal(cgroups.oomCounter("/sampan/x"), "/cg/memory/sampan/x/memory.oom_control");
  assert.equal(new CgroupsV2(one).oomCounter("/sampan/x"), "/cg/sampan/x/memory.events");
});

test("a user's parent is taken below the root, never above it", () => {
  const cgroups = new CgroupsV2(one);
  assert.equal(cgroups.pathOf("x"), "/sampan/x");
  assert.equal(cgroups.pathOf("x", "my.slice//jobs/"), "/my.slice/jobs/x");
  for (const parent of ["..", "/a/../..", "a\0b"])
    assert.throws(() => cgroups.pathOf("x", parent), { kind: "invalid" });
});
