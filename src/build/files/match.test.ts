import assert from "node:assert/strict";
import { test } from "node:test";
import { matcher } from "./match.ts";

test("names match patterns as Go's filepath.Match has it", () => {
  const cases: [pattern: string, name: string, matches: boolean][] = [
    ["", "", true],
    ["", "a", false],
    ["*", "", true],
    ["*", "anything.txt", true],
    ["*", "a/b", false],
    ["a*", "ab/c", false],
    ["a*/b", "a/c/b", false],
    ["a*/b", "axx/b", true],
    ["*.txt", "a.txt", true],
    ["*.txt", "a.txt.gz", false],
    ["**", "ab", true],
    ["**", "a/b", false],
    ["a?c", "abc", true],
    ["a?c", "ac", false],
    ["a?c", "a/c", false],
    ["a???b", "aäöüb", true],
    ["a*b*c*d*e*/f", "axbxcxdxe/f", true],
    ["a*b*c*d*e*/f", "axbxcxdxexxx/f", true],
    ["a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false],
    ["a*b*c*d*e*/f", "axbxcxdxexxx/fff", false],
    ["a*b?c*x", "abxbbxdbxebxczzx", true],
    ["a*b?c*x", "abxbbxdbxebxczzy", false],
    ["*x", "xxx", true],
    ["*a*b*c", "xaxbxcxc", true],
    ["*a*b*c", "xaxcxbx", false],
    ["[a-c]x", "bx", true],
    ["[a-c]x", "dx", false],
    ["[^a-c]x", "bx", false],
    ["[^a-c]x", "dx", true],
    ["[^a]", "/", true],
    ["[c-a]", "b", false],
    ["[^c-a]", "b", true],
    ["[\\]a]", "]", true],
    ["[\\-]", "-", true],
    ["[x\\-]", "-", true],
    ["[x\\-]", "z", false],
    ["[\\-x]", "a", false],
    ["[a^]", "^", true],
    ["[[]x", "[x", true],
    ["[a-ζ]*", "α", true],
    ["*[a-ζ]", "A", false],
    ["[!a]", "!", true],
    ["\\*", "*", true],
    ["\\*", "a", false],
    ["a\\\\b", "a\\b", true],
    ["a.c", "abc", false],
    ["(x)", "(x)", true],
    ["]", "]", true],
    ["a-b", "a-b", true],
    ["ä*", "äöü", true],
    ["*ü", "äöü", true],
    ["?", "😀", true],
    ["*\n*?*", "a\nb", true],
    ["*.*.*.*", "a.b.c.d", true],
    ["*.*.*.*", "a.b.c", false],
  ];
  for (const [pattern, name, matches] of cases) assert.equal(matcher(pattern)(name), matches, `${pattern} ${name}`);
});

test("what Go calls a bad pattern is refused, wherever in it the mistake is", () => {
  const bad = [
    "[",
    "[a",
    "[^",
    "[]",
    "[]a]",
    "[-]",
    "[-x]",
    "[x-]",
    "[a-b-c]",
    "[^bc",
    "a[",
    "*[",
    "a\\",
    "[\\",
    "x*[a-",
  ];
  for (const pattern of bad) assert.throws(() => matcher(pattern), { kind: "invalid" }, pattern);
});

test("stars cost no more than characters, however many there are", () => {
  const name = "a".repeat(255);
  for (const pattern of [`${"a*".repeat(60)}b`, `${"*a".repeat(60)}*b`, `${"*?".repeat(60)}b`, `${"*".repeat(120)}b`]) {
    const matches = matcher(pattern);
    assert.equal(matches(name), false, pattern);
    assert.equal(matches(`${name}b`), true, pattern);
  }
});
