import assert from "node:assert/strict";
import { test } from "node:test";
import { hidingDirectories } from "./host.ts";

test("hidden directories are opaque, those they lie in are not, and nothing is made below them", () => {
  const stat = (path: string) => ({ mode: 0o40000 | (path === "/tmp" ? 0o1777 : 0o755), uid: path.length, gid: 0 });
  const made = hidingDirectories(["/proc", "/tmp", "/var/lib/sampan", "/tmp/run", "/var/lib/other", "/"], stat);
  assert.deepEqual(
    made.map(({ path, mode, uid, opaque }) => [path, mode.toString(8), uid, opaque]),
    [
      ["proc", "755", 5, true],
      ["tmp", "1777", 4, true],
      ["var", "755", 4, false],
      ["var/lib", "755", 8, false],
      ["var/lib/sampan", "755", 15, true],
      ["var/lib/other", "755", 14, true],
    ],
  );
});
