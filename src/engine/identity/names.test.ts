import assert from "node:assert/strict";
import { test } from "node:test";
import { SampanError } from "../../errors/index.ts";
import { isFullId, newId, shortId } from "./ids.ts";
import { parseName, randomName } from "./names.ts";

test("made-up names are valid names of two words", () => {
  for (let i = 0; i < 200; i++) assert.match(parseName(randomName()), /^[a-z]+_[a-z]+$/);
  assert.match(randomName(3), /^[a-z]+_[a-z]+\d+$/);
});

test("a name may come with a slash; anything else is refused in dockerd's words", () => {
  assert.equal(parseName("/web.1"), "web.1");
  for (const bad of ["", "a", "-a", "a b", "ä1", "a/b"]) {
    assert.throws(
      () => parseName(bad),
      (error) =>
        error instanceof SampanError &&
        error.message === `Invalid container name (${bad}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
    );
  }
});

test("ids are 64 hex digits and their short forms are no numbers", () => {
  const ids = Array.from({ length: 500 }, newId);
  assert.ok(ids.every(isFullId));
  assert.ok(ids.every((id) => /[a-f]/.test(shortId(id))));
});
