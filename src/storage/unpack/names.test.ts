import assert from "node:assert/strict";
import { test } from "node:test";
import { baseOf, clampName, cleanName, parentOf, prefixesOf, whiteoutOf } from "./names.ts";

test("names are cleaned, and what leaves the root is refused", () => {
  const clean = {
    "a/b": "a/b",
    "./a": "a",
    "/a/": "a",
    "a//b/./c/": "a/b/c",
    "a/../b": "b",
    ".hidden/.x": ".hidden/.x",
    "..x/y..": "..x/y..",
    "./": "",
    ".": "",
    "/": "",
    "a/..": "",
  };
  for (const [name, expected] of Object.entries(clean)) assert.equal(cleanName(name), expected, name);
  for (const name of ["..", "../a", "a/../../b", "/..", "./../x"]) {
    assert.throws(() => cleanName(name), { kind: "invalid" }, name);
  }
});

test("clamped names stay at the root", () => {
  assert.equal(clampName("/../../a/../b"), "b");
  assert.equal(clampName(".."), "");
});

test("parents, bases and prefixes", () => {
  assert.deepEqual([parentOf("a/b/c"), parentOf("a"), parentOf("")], ["a/b", "", ""]);
  assert.deepEqual([baseOf("a/b/c"), baseOf("a")], ["c", "a"]);
  assert.deepEqual(prefixesOf("a/b/c"), ["", "a", "a/b", "a/b/c"]);
  assert.deepEqual(prefixesOf(""), [""]);
});

test("whiteouts", () => {
  assert.equal(whiteoutOf("a/b"), undefined);
  assert.equal(whiteoutOf("a.wh.b"), undefined);
  assert.equal(whiteoutOf(".wh.dir/b"), undefined);
  assert.deepEqual(whiteoutOf(".wh.a"), { kind: "whiteout", name: "a" });
  assert.deepEqual(whiteoutOf("a/.wh.b"), { kind: "whiteout", name: "a/b" });
  assert.deepEqual(whiteoutOf("a/.wh..b"), { kind: "whiteout", name: "a/.b" });
  assert.deepEqual(whiteoutOf(".wh..wh..opq"), { kind: "opaque", name: "" });
  assert.deepEqual(whiteoutOf("a/.wh..wh..opq"), { kind: "opaque", name: "a" });
  assert.deepEqual(whiteoutOf(".wh..wh.plnk/1.2"), { kind: "ignored" });
  assert.deepEqual(whiteoutOf("a/.wh..wh.orph"), { kind: "ignored" });
  for (const name of [".wh.", "a/.wh..", "a/.wh..."]) assert.throws(() => whiteoutOf(name), { kind: "invalid" }, name);
});
