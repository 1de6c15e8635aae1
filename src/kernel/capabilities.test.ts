import assert from "node:assert/strict";
import { test } from "node:test";
import { kindOf } from "../errors/index.ts";
import {
  type CapabilityRequest,
  capabilities,
  capabilitiesIn,
  capabilityMask,
  capabilitySets,
  defaultCapabilities,
  encodeCapset,
  parseCapability,
  resolveCapabilities,
} from "./capabilities.ts";

const everything = capabilityMask(capabilitiesIn(~0n & 0xffffffffffffffffn));
const resolve = (request: Partial<CapabilityRequest>) =>
  resolveCapabilities({ add: [], drop: [], privileged: false, available: everything, ...request });

test("the bits are 0 to 40 without a gap", () => {
  assert.deepEqual(
    Object.values(capabilities),
    Array.from({ length: 41 }, (_, bit) => bit),
  );
});

test("the default is the mask that /proc shows in a Docker container", () => {
  assert.equal(capabilityMask(defaultCapabilities), 0xa80425fbn);
  assert.deepEqual(resolve({}), capabilitiesIn(0xa80425fbn));
});

test("names are taken in any case, with and without prefix", () => {
  for (const text of ["sys_admin", "CAP_SYS_ADMIN", "Cap_Sys_Admin"])
    assert.equal(parseCapability(text), "CAP_SYS_ADMIN");
  assert.equal(parseCapability("all"), "ALL");
  for (const text of ["CAP_ALL", "nope", "", "toString"]) {
    assert.throws(
      () => parseCapability(text),
      (error: Error) => kindOf(error) === "invalid" && error.message.startsWith('unknown capability: "CAP_'),
    );
  }
});

test("add and drop combine as in dockerd", () => {
  assert.deepEqual(resolve({ privileged: true, drop: ["ALL"] }), capabilitiesIn(everything));
  assert.deepEqual(resolve({ drop: ["all"] }), []);
  assert.deepEqual(resolve({ drop: ["ALL"], add: ["kill", "chown"] }), ["CAP_CHOWN", "CAP_KILL"]);
  assert.deepEqual(resolve({ add: ["ALL"], drop: ["ALL"] }), capabilitiesIn(everything));
  assert.deepEqual(resolve({ add: ["ALL"], drop: ["BPF"] }), capabilitiesIn(everything & ~(1n << 39n)));
  assert.deepEqual(resolve({ add: ["KILL"], drop: ["KILL"] }), capabilitiesIn(0xa80425fbn), "add comes last");
  assert.deepEqual(resolve({ add: ["NET_ADMIN"] }), capabilitiesIn(0xa80435fbn));
});

test("what the machine cannot give is refused when named and left out of defaults", () => {
  const available = everything & ~capabilityMask(["CAP_MKNOD", "CAP_SYS_ADMIN"]);
  assert.ok(!resolve({ available }).includes("CAP_MKNOD"));
  assert.ok(!resolve({ available, privileged: true }).includes("CAP_SYS_ADMIN"));
  assert.throws(
    () => resolve({ available, add: ["SYS_ADMIN"] }),
    (error: Error) => kindOf(error) === "invalid" && error.message.includes('current environment: "CAP_SYS_ADMIN"'),
  );
});

test("a user other than root holds only the bounding set", () => {
  assert.deepEqual(capabilitySets(["CAP_KILL"], 1000).effective, []);
  assert.deepEqual(capabilitySets(["CAP_KILL"], 1000).bounding, ["CAP_KILL"]);
  assert.deepEqual(capabilitySets(["CAP_KILL"], 0).permitted, ["CAP_KILL"]);
});

test("capset's arguments are version 3 with the sets interleaved by word", () => {
  const { header, data } = encodeCapset({
    effective: ["CAP_CHOWN"],
    permitted: ["CAP_BPF"],
    inheritable: ["CAP_SYSLOG"],
  });
  assert.equal(Buffer.from(header).toString("hex"), "2205082000000000");
  const words = Array.from({ length: 6 }, (_, index) => Buffer.from(data).readUInt32LE(index * 4));
  assert.deepEqual(words, [1, 0, 0, 0, 1 << 7, 1 << 2]);
});
