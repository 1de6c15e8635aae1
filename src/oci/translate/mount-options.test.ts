import assert from "node:assert/strict";
import { test } from "node:test";
import * as f from "../../kernel/flags.ts";
import { sortOptions } from "./mount-options.ts";

const sorted = (...options: string[]) => sortOptions(options, "mounts[0].options");

test("options are the mount's, the superblock's or the file system's", () => {
  const options = sorted("nosuid", "noexec", "sync", "size=64k", "newinstance", "rslave", "defaults");
  assert.equal(options.attributes.set, f.MOUNT_ATTR_NOSUID | f.MOUNT_ATTR_NOEXEC);
  assert.deepEqual(options.superblock, ["sync"]);
  assert.deepEqual(options.data, [
    ["size", "64k"],
    ["newinstance", true],
  ]);
  assert.deepEqual(options.propagation, ["rslave"]);
  assert.equal(options.bind, "no");
});

test("the later of two options that contradict each other counts", () => {
  assert.deepEqual(sorted("ro", "rw").attributes, {
    set: 0,
    clear: f.MOUNT_ATTR_RDONLY,
    recursiveSet: 0,
    recursiveClear: 0,
  });
  assert.equal(sorted("rw", "ro").attributes.set, f.MOUNT_ATTR_RDONLY);
});

test("with r before it an option is for all mounts below; times of access are one field", () => {
  assert.equal(sorted("rro", "rnosuid").attributes.recursiveSet, f.MOUNT_ATTR_RDONLY | f.MOUNT_ATTR_NOSUID);
  assert.deepEqual(sorted("noatime").attributes, {
    set: f.MOUNT_ATTR_NOATIME,
    clear: f.MOUNT_ATTR__ATIME,
    recursiveSet: 0,
    recursiveClear: 0,
  });
});

test("bind and rbind, and what cannot be done", () => {
  assert.equal(sorted("bind").bind, "flat");
  assert.equal(sorted("rbind", "bind").bind, "recursive");
  assert.throws(() => sorted("iversion"), /mounts\[0\]\.options: iversion is not supported/);
  assert.throws(() => sorted(`lowerdir=${"x".repeat(300)}`), /lowerdir has more than 255 bytes/);
});
