import assert from "node:assert/strict";
import { test } from "node:test";
import { compareNaturally } from "./natural.ts";

test("numbers in names count as numbers", () => {
  const names = ["bridge", "b10", "none", "b9", "Zed", "b9a", "b"];
  assert.deepEqual(names.toSorted(compareNaturally), ["Zed", "b", "b9", "b9a", "b10", "bridge", "none"]);
  assert.equal(compareNaturally("a1", "a1"), 0);
});
