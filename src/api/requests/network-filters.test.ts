import assert from "node:assert/strict";
import { test } from "node:test";
import type { NetworkRecord } from "../../engine/types.ts";
import { networkFilter } from "./network-filters.ts";

const record = (name: string, more: Partial<NetworkRecord> = {}): NetworkRecord => ({
  id: `${name}id`,
  name,
  driver: "bridge",
  createdAt: Date.parse("2026-01-01T00:00:00Z"),
  predefined: false,
  internal: false,
  attachable: false,
  ipv4: true,
  ipv6: false,
  subnets: [],
  ipamOptions: {},
  options: {},
  labels: {},
  ...more,
});

const all = [
  record("bridge", { predefined: true }),
  record("none", { predefined: true, driver: "null" }),
  record("front", { labels: { tier: "1" } }),
  record("back"),
];
const names = (filters: Record<string, string[]>) =>
  all.filter(networkFilter(filters, ({ name }) => name === "front")).map(({ name }) => name);

test("every key must match, one of its values is enough", () => {
  assert.deepEqual(names({}), ["bridge", "none", "front", "back"]);
  assert.deepEqual(names({ name: ["ro", "ack"] }), ["front", "back"]);
  assert.deepEqual(names({ driver: ["null"] }), ["none"]);
  assert.deepEqual(names({ type: ["custom"], label: ["tier=1"] }), ["front"]);
  assert.deepEqual(names({ type: ["builtin"] }), ["bridge", "none"]);
  assert.deepEqual(names({ scope: ["swarm"] }), []);
  assert.deepEqual(names({ id: ["backid"] }), ["back"]);
});

test("dangling networks are those that a user has made and nobody uses", () => {
  assert.deepEqual(names({ dangling: ["true"] }), ["back"]);
  assert.deepEqual(names({ dangling: ["0"] }), ["bridge", "none", "front"]);
});

test("values that mean nothing are refused in dockerd's words", () => {
  assert.throws(() => names({ type: ["x"] }), { message: "invalid filter: 'type'='x'" });
  assert.throws(() => names({ dangling: ["x"] }), { message: /^invalid value for filter 'dangling', must be "true"/ });
});
