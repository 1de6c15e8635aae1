import assert from "node:assert/strict";
import { test } from "node:test";
import { sameButId } from "./same-but-id.ts";

const known = "0123456789abcdef".repeat(4);
const wanted = "fedcba9876543210".repeat(4);
const same = (a: unknown, b: unknown): boolean => sameButId(a, b, { known, wanted });

test("ids, and beginnings of them, may differ", () => {
  assert.ok(same({ path: `/containers/${known}/log` }, { path: `/containers/${wanted}/log` }));
  assert.ok(same([known.slice(0, 12), `${known.slice(0, 20)}.1`], [wanted.slice(0, 12), `${wanted.slice(0, 20)}.1`]));
  assert.ok(
    same(
      { a: [1, true, null, undefined, { b: new Uint8Array([1]) }] },
      { a: [1, true, null, undefined, { b: new Uint8Array([1]) }] },
    ),
  );
});

test("nothing else may", () => {
  assert.equal(same(known.slice(0, 12), wanted.slice(0, 13)), false);
  assert.equal(same(`${known}x`, `${wanted}y`), false);
  assert.equal(same(`x${known}`, `y${wanted}`), false);
  assert.equal(same(known, known), true);
  assert.equal(same(known, "g".repeat(64)), false);
  // Eleven digits are no id.
  assert.equal(same(known.slice(0, 11), wanted.slice(0, 11)), false);
  assert.equal(same({ a: 1 }, { a: 1, b: undefined }), false);
  assert.equal(same({ a: 1, c: 2 }, { a: 1, b: 2 }), false);
  assert.equal(same([1], [1, 2]), false);
  assert.equal(same({ a: 1 }, undefined), false);
  assert.equal(same(null, {}), false);
  assert.equal(same(new Uint8Array([1]), new Uint8Array([2])), false);
  assert.equal(same(1, "1"), false);
});
