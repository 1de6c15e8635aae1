import assert from "node:assert/strict";
import { test } from "node:test";
import { matcher } from "./match.ts";

test("names match patterns as Go's filepath.Match has it", () => {
  const cases: [pattern: string, name: string, matches: boolean][] = [
    ["*", "anything.txt", true],
    ["*.txt", "a.txt", true],
    ["*.txt", "a.txt.gz", false],
    ["a?c", "abc", true],
    ["a?c", "ac", false],
    ["[a-c]x", "bx", true],
    ["[^a-c]x", "bx", false],
    ["[\\]a]", "]", true],
    ["\\*", "*", true],
    ["\\*", "a", false],
    ["a.c", "abc", false],
    ["(x)", "(x)", true],
    ["ä*", "äöü", true],
  ];
  for (const [pattern, name, matches] of cases) assert.equal(matcher(pattern)(name), matches, `${pattern} ${name}`);
  for (const pattern of ["[", "[a", "[]a]", "a\\"]) assert.throws(() => matcher(pattern), { kind: "invalid" });
});
