import assert from "node:assert/strict";
import { test } from "node:test";
import { parseGroup, parsePasswd, resolveUserIn } from "./users.ts";

const files = {
  passwd: "root:x:0:0:root:/root:/bin/sh\n# comment\nbroken\nana:x:1000:1001:Ana:/home/ana:/bin/sh\nnohome:x:7:7::\n",
  group: "root:x:0:\nana:x:1001:\nwheel:x:10:ana,root\nvideo:x:44:ana\n:x:5:\n",
};

const cases: [user: string, add: string[], expected: ReturnType<typeof resolveUserIn>][] = [
  ["", [], { uid: 0, gid: 0, additionalGids: [0, 10], home: "/root" }],
  ["ana", [], { uid: 1000, gid: 1001, additionalGids: [1001, 10, 44], home: "/home/ana" }],
  ["1000", [], { uid: 1000, gid: 1001, additionalGids: [1001, 10, 44], home: "/home/ana" }],
  ["ana:wheel", [], { uid: 1000, gid: 10, additionalGids: [10], home: "/home/ana" }],
  ["1000:5000", [], { uid: 1000, gid: 5000, additionalGids: [5000], home: "/home/ana" }],
  ["4242", [], { uid: 4242, gid: 0, additionalGids: [0], home: "/" }],
  ["4242:4343", ["video", "99"], { uid: 4242, gid: 4343, additionalGids: [4343, 44, 99], home: "/" }],
  ["nohome", [], { uid: 7, gid: 7, additionalGids: [7], home: "/" }],
];

for (const [user, add, expected] of cases) {
  test(`"${user}" with groups [${add}] is resolved as runc resolves it`, () => {
    assert.deepEqual(resolveUserIn(files, user, add), expected);
  });
}

test("names that are not there are refused with dockerd's words", () => {
  assert.throws(() => resolveUserIn(files, "bob", []), /unable to find user bob: no matching entries in passwd file/);
  assert.throws(
    () => resolveUserIn(files, "ana:nobody", []),
    /unable to find group nobody: no matching entries in group file/,
  );
  assert.throws(() => resolveUserIn(files, "4294967296", []), /must be in range/);
});

test("malformed lines are passed over", () => {
  assert.deepEqual(parsePasswd("x\n\na:b\n").length, 0);
  assert.deepEqual(parseGroup("g:x:notanumber:\n").length, 0);
});
