import assert from "node:assert/strict";
import { test } from "node:test";
import { keyIdentity } from "./identity.ts";
import { add, planTables, remove } from "./table.ts";

test("the rules are the same however often they are made, and others for another policy", () => {
  const direct = { kind: "direct" } as const;
  const input = { kind: "input", out: 7, in: "smpi" } as const;
  const version = (policy: typeof direct | typeof input) => planTables("sampan", policy).version;
  assert.equal(version(direct), version(direct));
  assert.notEqual(version(direct), version(input));
  assert.notEqual(version(input), planTables("sampan", { ...input, out: 8 }).version);
});

test("elements of a set are one request, however many", () => {
  const elements = Array.from({ length: 100 }, (_, i) => ({
    set: "everywhere4" as const,
    key: ["tcp", 1000 + i],
    value: ["10.0.0.2", 80],
  }));
  assert.equal(add("sampan", elements).length, 1);
  assert.equal(remove("sampan", [...elements, { set: "bridges", key: ["br0"] }]).length, 2);
});

test("an element is the same in whatever way its address is written", () => {
  const at = (address: string) => keyIdentity({ set: "publish6", key: [address, "tcp", 80] });
  assert.equal(at("fd00:0:0::1"), at("FD00::1"));
  assert.notEqual(at("fd00::1"), at("fd00::2"));
  const range = (to: number) => keyIdentity({ set: "rangeEverywhere4", key: ["udp", { from: 80, to }] });
  assert.equal(range(80), keyIdentity({ set: "rangeEverywhere4", key: ["udp", 80] }));
  assert.notEqual(range(81), range(80));
});
