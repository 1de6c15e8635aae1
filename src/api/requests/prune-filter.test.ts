import assert from "node:assert/strict";
import { test } from "node:test";
import { pruneFilter } from "./prune-filter.ts";

const now = Date.parse("2026-01-01T01:00:00Z");
const candidates = {
  old: { createdAt: now - 3_600_000, labels: { tier: "1" } },
  new: { createdAt: now - 60_000, labels: {} },
  bare: { createdAt: now - 3_600_000, labels: null },
};
const pruned = (filters: Record<string, string[]>) => {
  const wanted = pruneFilter(filters, now);
  return Object.entries(candidates).flatMap(([name, candidate]) => (wanted(candidate) ? [name] : []));
};

test("until a moment, with labels and without", () => {
  assert.deepEqual(pruned({}), ["old", "new", "bare"]);
  assert.deepEqual(pruned({ until: ["30m"] }), ["old", "bare"]);
  assert.deepEqual(pruned({ until: ["2h"] }), []);
  assert.deepEqual(pruned({ label: ["tier"] }), ["old"]);
  assert.deepEqual(pruned({ "label!": ["tier=1"] }), ["new", "bare"]);
  assert.throws(() => pruned({ until: ["soon"] }), { kind: "invalid" });
});
