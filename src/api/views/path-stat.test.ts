import assert from "node:assert/strict";
import { test } from "node:test";
import { goFileMode, pathStatHeader } from "./path-stat.ts";

test("modes as Go's os.FileMode", () => {
  const modes: readonly (readonly [number, string])[] = [
    [0o100644, "1a4"],
    [0o104755, "8001ed"],
    [0o041777, "801001ff"],
    [0o042755, "804001ed"],
    [0o120777, "80001ff"],
    [0o020666, "42001b6"],
    [0o060660, "40001b0"],
    [0o010600, "2000180"],
    [0o140755, "10001ed"],
  ];
  for (const [mode, hex] of modes) assert.equal(goFileMode(mode).toString(16), hex, mode.toString(8));
});

test("the header", () => {
  const stat = { mode: 0o120777, uid: 0, gid: 0, size: 3, links: 1, inode: "", major: 0, minor: 0, isMount: false };
  const mtime = { seconds: 1_700_000_000, nanoseconds: 120_000_000 };
  const header = pathStatHeader({ name: "l", stat: { ...stat, mtime }, linkTarget: "/x" });
  assert.deepEqual(JSON.parse(Buffer.from(header, "base64").toString()), {
    name: "l",
    size: 3,
    mode: 0o777 + 2 ** 27,
    mtime: "2023-11-14T22:13:20.12Z",
    linkTarget: "/x",
  });
});
