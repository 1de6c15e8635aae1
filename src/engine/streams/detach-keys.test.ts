import assert from "node:assert/strict";
import { test } from "node:test";
import { kindOf } from "../../errors/index.ts";
import { DetachScanner, parseDetachKeys } from "./detach-keys.ts";

const scanner = (keys?: string) => new DetachScanner(parseDetachKeys(keys));
const bytes = (...numbers: number[]) => Uint8Array.from(numbers);

test("Docker's syntax of keys", () => {
  assert.deepEqual(parseDetachKeys(undefined), bytes(16, 17));
  assert.deepEqual(parseDetachKeys("a,ctrl-@,ctrl-_"), bytes(97, 0, 31));
  for (const text of ["ctrl-A", "ab", "a,", "ctrl-1"]) {
    assert.throws(
      () => parseDetachKeys(text),
      (error) => kindOf(error) === "invalid",
    );
  }
});

test("the keys detach, in one piece or two, and what follows is lost", () => {
  assert.deepEqual(scanner().scan(bytes(97, 16, 17, 98)), { pass: bytes(97), detached: true });
  const split = scanner();
  assert.deepEqual(split.scan(bytes(97, 16)), { pass: bytes(97), detached: false });
  assert.deepEqual(split.scan(bytes(17)), { pass: bytes(), detached: true });
});

test("what only looked like the keys is passed on", () => {
  const keys = scanner();
  assert.deepEqual(keys.scan(bytes(16)), { pass: bytes(), detached: false });
  assert.deepEqual(keys.scan(bytes(97)), { pass: bytes(16, 97), detached: false });
  assert.deepEqual(keys.scan(bytes(16, 16, 98)), { pass: bytes(16, 16, 98), detached: false });
});
