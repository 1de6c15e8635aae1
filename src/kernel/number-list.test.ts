import assert from "node:assert/strict";
import { test } from "node:test";
import { bitMask, parseNumberList } from "./number-list.ts";

test("lists of processors and memory nodes", () => {
  assert.deepEqual([...(parseNumberList("0-2,5") ?? [])], [0, 1, 2, 5]);
  for (const wrong of ["", "2-1", "0-99999", "8192", "a", "1,,2", "-1"])
    assert.equal(parseNumberList(wrong), undefined);
});

test("masks are words of 64 bits", () => {
  assert.deepEqual([...bitMask(new Set([0, 9]))], [1, 2, 0, 0, 0, 0, 0, 0]);
  assert.equal(bitMask(new Set([64])).length, 16);
  assert.equal(bitMask(new Set([64]))[8], 1);
});
