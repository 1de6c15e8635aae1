import assert from "node:assert/strict";
import { test } from "node:test";
import { kindOf } from "../../errors/index.ts";
import { parseLandlockPolicy } from "./parse.ts";
import { fileRightGroups, fileRights, scopes, tcpRights } from "./rights.ts";
import { maskOf, resolveLandlock } from "./ruleset.ts";
import { supportOf } from "./support.ts";

const resolve = (text: string, abi: number) => resolveLandlock(parseLandlockPolicy(text), { abi });

test("the bits are the kernel's", () => {
  assert.equal(maskOf(fileRights, Object.keys(fileRights) as (keyof typeof fileRights)[]), 0xffff);
  assert.equal(maskOf(fileRights, fileRightGroups.read), 0b1100);
  assert.equal(maskOf(tcpRights, ["connect"]), 2);
  assert.equal(maskOf(scopes, ["signal"]), 2);
});

test("rights come together by path and by port; a path is optional where nobody needs it", () => {
  const { ruleset, missing } = resolve("refer=/a,execute=/a:-/b,ioctl-dev=-/b:-/a,bind=1:2,connect=2", 6);
  assert.deepEqual(missing, []);
  assert.deepEqual(ruleset, {
    files: ["refer", "execute", "ioctl-dev"],
    tcp: ["bind", "connect"],
    scope: [],
    paths: [
      { path: "/a", optional: false, allow: ["refer", "execute", "ioctl-dev"] },
      { path: "/b", optional: true, allow: ["execute", "ioctl-dev"] },
    ],
    ports: [
      { port: 1, allow: ["bind"] },
      { port: 2, allow: ["bind", "connect"] },
    ],
  });
});

test("moving files to other directories stays allowed where a policy does not name it", () => {
  const everywhere = { path: "/", optional: false, allow: ["refer"] };
  assert.deepEqual(resolve("execute=/usr", 2).ruleset?.paths, [
    { path: "/usr", optional: false, allow: ["execute"] },
    everywhere,
  ]);
  assert.deepEqual(resolve("execute=/usr", 2).ruleset?.files, ["execute", "refer"]);
  assert.deepEqual(resolve("connect=443", 4).ruleset?.paths, []);
});

test("what this kernel does not have is refused by its name, and left out where that was asked for", () => {
  const wanted = "truncate=/tmp,ioctl-dev=,connect=443,scope=signal";
  for (const [abi, missing] of [
    [2, ["truncate (Linux 6.2)", "ioctl-dev (Linux 6.10)", "connect (Linux 6.7)", "scope=signal (Linux 6.12)"]],
    [3, ["ioctl-dev (Linux 6.10)", "connect (Linux 6.7)", "scope=signal (Linux 6.12)"]],
    [4, ["ioctl-dev (Linux 6.10)", "scope=signal (Linux 6.12)"]],
    [5, ["scope=signal (Linux 6.12)"]],
    [6, []],
    [7, []],
  ] as const) {
    assert.deepEqual(resolve(`${wanted},best-effort`, abi).missing, missing);
    if (missing.length === 0) resolve(wanted, abi);
    else
      assert.throws(
        () => resolve(wanted, abi),
        (error: Error) => kindOf(error) === "unsupported" && error.message.includes(missing.join(", ")),
        String(abi),
      );
  }
  assert.deepEqual(resolve(`${wanted},best-effort`, 3).ruleset, {
    files: ["truncate", "refer"],
    tcp: [],
    scope: [],
    paths: [
      { path: "/tmp", optional: false, allow: ["truncate"] },
      { path: "/", optional: false, allow: ["refer"] },
    ],
    ports: [],
  });
  assert.equal(resolve("connect=443,best-effort", 3).ruleset, undefined);
});

test("before Linux 5.19 nothing can leave moving files allowed", () => {
  assert.throws(() => resolve("execute=/usr", 1), /Cannot restrict refer \(Linux 5.19\) by Landlock/);
  assert.deepEqual(resolve("execute=/usr,best-effort", 1).ruleset?.files, ["execute"]);
});

test("a kernel without Landlock, and one where it is switched off", () => {
  assert.deepEqual(supportOf(7), { abi: 7 });
  const refusal = (answer: number) => () => resolveLandlock(parseLandlockPolicy("read=/"), { ...supportOf(answer) });
  assert.throws(refusal(-38), /Cannot restrict by Landlock: this kernel has none; it takes Linux 5.13/);
  assert.throws(refusal(-95), /Cannot restrict by Landlock: .* add landlock to lsm=/);
});
