import assert from "node:assert/strict";
import { test } from "node:test";
import { kindOf } from "../../errors/index.ts";
import { parseLandlockPolicy } from "./parse.ts";
import { fileRightGroups } from "./rights.ts";

test("words and JSON are the same policy", () => {
  const said = parseLandlockPolicy("execute=/usr/:-/opt/../bin,bind=8080,connect=443:0,scope=signal,best-effort");
  const json = {
    execute: ["/usr/", "-/opt/../bin"],
    bind: [8080],
    connect: [443, 0],
    scope: ["signal"],
    "best-effort": true,
  };
  assert.deepEqual(parseLandlockPolicy(JSON.stringify(json)), said);
  assert.deepEqual(said, {
    files: new Map([
      [
        "execute",
        [
          { path: "/usr", optional: false },
          { path: "/bin", optional: true },
        ],
      ],
    ]),
    tcp: new Map([
      ["bind", [8080]],
      ["connect", [443, 0]],
    ]),
    scope: ["signal"],
    bestEffort: true,
  });
});

test("a group is all its rights, and one of them may be allowed elsewhere, too", () => {
  const { files, bestEffort } = parseLandlockPolicy("write=/tmp,make-sock=/run");
  assert.equal(bestEffort, false);
  assert.deepEqual([...files.keys()].toSorted(), [...fileRightGroups.write].toSorted());
  assert.deepEqual(files.get("make-sock"), [
    { path: "/tmp", optional: false },
    { path: "/run", optional: false },
  ]);
});

test("an empty list allows nothing", () => {
  assert.deepEqual(parseLandlockPolicy("connect=").tcp, new Map([["connect", []]]));
  assert.deepEqual(parseLandlockPolicy('{"execute":[]}').files, new Map([["execute", []]]));
});

test("what is no policy is refused by its word", () => {
  const wrong: readonly (readonly [text: string, why: RegExp])[] = [
    ["", /"" of the Landlock policy: it is WORD=VALUE/],
    ["write", /"write" of the Landlock policy: it is WORD=VALUE/],
    ["writes=/tmp", /"writes" of the Landlock policy: it is none of read, write, execute/],
    ["write=tmp", /"write" of the Landlock policy: "tmp" is no absolute path/],
    ["write=/tmp:", /"" is no absolute path/],
    ["write=/a,write=/b", /"write" of the Landlock policy: it is there twice/],
    ["connect=http", /"http" is no port/],
    ["connect=65536", /"65536" is no port/],
    ["scope=signals", /"signals" is none of abstract-unix-socket, signal/],
    ["scope=", /restricts nothing/],
    ["best-effort", /restricts nothing/],
    ["best-effort=yes", /"best-effort" of the Landlock policy: it is true or false/],
    ["{}", /restricts nothing/],
    ["{", /Cannot read the Landlock policy: /],
    ['{"write":"/tmp"}', /"write" of the Landlock policy: it takes a list/],
    ['{"connect":[1.5]}', /1.5 is no port/],
    ['{"write":["/tmp"],"best-effort":"no"}', /it is true or false, and not "no"/],
    ['{"__proto__":[],"write":["/tmp"]}', /"__proto__" of the Landlock policy: it is none of/],
  ];
  for (const [text, why] of wrong) {
    assert.throws(
      () => parseLandlockPolicy(text),
      (error: Error) => kindOf(error) === "invalid" && why.test(error.message),
      text,
    );
  }
});
