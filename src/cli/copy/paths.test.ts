import assert from "node:assert/strict";
import { test } from "node:test";
import { type CopyInfo, followedName, parseCopyEnd, planCopy, renamed, splitEntry } from "./paths.ts";

test("which end is a container", () => {
  const ends: readonly (readonly [string, string | undefined, string])[] = [
    ["c:/etc", "c", "/etc"],
    ["c:etc", "c", "etc"],
    ["/a:b", undefined, "/a:b"],
    ["./a:b", undefined, "./a:b"],
    ["../a:b", undefined, "../a:b"],
    ["a", undefined, "a"],
    ["-", undefined, "-"],
    ["c:", "c", ""],
  ];
  for (const [text, container, path] of ends) assert.deepEqual(parseCopyEnd(text), { container, path });
});

test("directory and last part", () => {
  const parts: readonly (readonly [string, string, string])[] = [
    ["/a/b", "/a", "b"],
    ["/a/b/", "/a", "b"],
    ["/a/b/.", "/a/b", "."],
    ["/a/..", "/", "/"],
    ["/", "/", "/"],
    [".", ".", "."],
    ["a", ".", "a"],
  ];
  for (const [path, directory, base] of parts) assert.deepEqual(splitEntry(path), { directory, base }, path);
});

const file: CopyInfo = { path: "/s/f", exists: true, isDirectory: false };
const directory: CopyInfo = { path: "/s/d", exists: true, isDirectory: true };
const missing = (path: string): CopyInfo => ({ path, exists: false, isDirectory: false });

test("what a copy does", () => {
  assert.deepEqual(planCopy(file, { ...directory, path: "/d" }), { directory: "/d", rename: undefined });
  assert.deepEqual(planCopy(file, { ...file, path: "/d/x" }), { directory: "/d", rename: { from: "f", to: "x" } });
  assert.deepEqual(planCopy(file, missing("/d/x")), { directory: "/d", rename: { from: "f", to: "x" } });
  assert.deepEqual(planCopy(directory, missing("/d/x/")), { directory: "/d", rename: { from: "d", to: "x" } });
  assert.deepEqual(planCopy({ ...directory, path: "/s/d/." }, missing("/d/x")), {
    directory: "/d",
    rename: { from: ".", to: "x" },
  });
  assert.throws(() => planCopy(directory, { ...file, path: "/x" }), /cannot copy directory/);
  assert.throws(() => planCopy(file, missing("/d/")), /no such directory/);
});

test("names in the archive", () => {
  assert.equal(renamed("d/a/d", { from: "d", to: "x" }), "x/a/d");
  assert.equal(renamed("./a.b", { from: ".", to: "x" }), "x/a.b");
  assert.equal(renamed("/etc/x", { from: "/", to: "x" }), "x/etc/x");
});

test("followed links keep the name they had", () => {
  assert.deepEqual(followedName("/a/link", "/b/file"), { path: "/b/file", rebaseName: "link" });
  assert.deepEqual(followedName("/a/same", "/b/same"), { path: "/b/same" });
  assert.deepEqual(followedName("/a/link/.", "/b/dir"), { path: "/b/dir/." });
});
