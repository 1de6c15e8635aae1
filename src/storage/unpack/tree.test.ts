import assert from "node:assert/strict";
import { test } from "node:test";
import { Tree } from "./tree.ts";

function treeWith(links: Record<string, string>, directories: readonly string[], files: readonly string[] = []): Tree {
  const tree = new Tree();
  for (const name of directories) tree.directories.set(name, { attributes: undefined, opaque: false });
  for (const [name, target] of Object.entries(links)) tree.set(name, target);
  for (const name of files) tree.set(name);
  return tree;
}

test("directories are found through links as in a chroot", () => {
  const links = { abs: "/usr", "usr/up": "../../../var", chain: "abs/up", "usr/self": "." };
  const tree = treeWith(links, ["usr", "usr/lib", "var"]);
  const expected = {
    "": "",
    usr: "usr",
    "abs/lib": "usr/lib",
    "usr/up": "var",
    chain: "var",
    "usr/self/self/lib": "usr/lib",
    missing: undefined,
    "usr/missing/deep": undefined,
  };
  for (const [name, real] of Object.entries(expected)) assert.equal(tree.resolve(name), real, name);
});

test("missing directories are made where the links lead", () => {
  const tree = treeWith({ run: "/var/run", "var/run": "../state" }, ["var"]);
  const made: string[] = [];
  assert.equal(
    tree.resolve("run/a/b", (real) => void made.push(real)),
    "state/a/b",
  );
  assert.deepEqual(made, ["state", "state/a", "state/a/b"]);
  assert.equal(tree.resolve("state/a/b"), "state/a/b");
});

test("loops and files on the way are refused", () => {
  const tree = treeWith({ a: "b", b: "a", self: "self/x" }, [], ["file"]);
  for (const name of ["a", "a/x", "self", "file", "file/x"]) {
    assert.throws(() => tree.resolve(name), { kind: "invalid" }, name);
  }
});

test("what is forgotten takes all below it along", () => {
  const tree = treeWith({ "d/link": "x" }, ["d", "d/e", "de"], ["d/e/f", "de/f"]);
  tree.forget("d");
  assert.deepEqual([...tree.directories.keys()], ["", "de"]);
  assert.deepEqual(
    ["d/link", "d/e/f", "de/f"].map((name) => tree.kindOf(name)),
    [undefined, undefined, "other"],
  );
});
