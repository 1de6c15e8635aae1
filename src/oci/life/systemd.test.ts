import assert from "node:assert/strict";
import { test } from "node:test";
import { scopeOf } from "./systemd.ts";

test("with --systemd-cgroup, cgroupsPath names a scope in a slice", () => {
  assert.deepEqual(scopeOf("machine.slice:libpod:abc", "x"), { unit: "libpod-abc.scope", slice: "machine.slice" });
  assert.deepEqual(scopeOf("user-1000.slice::abc", "x"), { unit: "abc.scope", slice: "user-1000.slice" });
  assert.equal(scopeOf(":docker:abc", "x").unit, "docker-abc.scope");
  assert.equal(scopeOf(undefined, "x").unit, "sampan-x.scope");
});

test("what is no such name is refused", () => {
  const refused = (path: string, why: RegExp) => assert.throws(() => scopeOf(path, "x"), why);
  refused("/a/b", /it is SLICE:PREFIX:NAME/);
  refused("a.slice:b:", /it is SLICE:PREFIX:NAME/);
  refused("machine:b:c", /machine does not end with \.slice/);
  refused("a.slice:b:c.slice", /a container is a scope/);
  refused("a.slice:b:c/../d", /is not the name of a unit/);
});
