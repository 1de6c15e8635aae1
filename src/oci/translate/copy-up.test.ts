import assert from "node:assert/strict";
import { test } from "node:test";
import type { OciMount } from "../config/config.ts";
import { mountsOf } from "./mounts.ts";

const mount = (destination: string, type: string, ...options: string[]): OciMount => {
  const source = type === "bind" ? "/" : type;
  return { destination, type, source, options, uidMappings: [], gidMappings: [] };
};
const copied = (...mounts: OciMount[]) =>
  mountsOf(mounts, "/", "host").map((made) => made.kind === "file-system" && made.copyUp === true);

test("tmpcopyup takes the image's files, in another tmpcopyup, too, but there are none in a new file system", () => {
  assert.deepEqual(copied(mount("/run", "tmpfs", "tmpcopyup"), mount("/run/lock", "tmpfs", "tmpcopyup")), [true, true]);
  assert.deepEqual(copied(mount("/run", "tmpfs"), mount("/run/lock", "tmpfs", "tmpcopyup")), [false, false]);
  assert.deepEqual(copied(mount("/run", "tmpfs"), mount("/running", "tmpfs", "tmpcopyup")), [false, true]);
});

test("tmpcopyup elsewhere is refused", () => {
  const inBind = [mount("/run", "bind"), mount("/run/lock", "tmpfs", "tmpcopyup")];
  assert.throws(() => copied(...inBind), /mounts\[1\]\.options: tmpcopyup is not supported here: \/run\/lock is in/);
  assert.throws(() => copied(mount("/run", "mqueue", "tmpcopyup")), /tmpcopyup is for a tmpfs, not for mqueue/);
  assert.throws(() => copied(mount("/run", "bind", "tmpcopyup")), /tmpcopyup is for a tmpfs, not for a bind mount/);
});
