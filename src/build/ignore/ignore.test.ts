import assert from "node:assert/strict";
import { test } from "node:test";
import { PatternMatcher, readIgnoreFile } from "./index.ts";

/** Patterns, a path, and whether the path is left out: what moby's patternmatcher answers. */
const cases: readonly (readonly [patterns: string, path: string, ignored: boolean])[] = [
  ["**", "a/b", true],
  ["**/", "a", true],
  ["**/", "a/b", true],
  ["dir/**", "dir/file", true],
  ["dir/**", "dir/a/b", true],
  ["dir/**", "dir", false],
  ["**/dir", "dir", true],
  ["**/dir", "x/y/dir/file", true],
  ["**/dir2/*", "dir/dir2/file", true],
  ["**/dir2/*", "dir/dir2/dir2/file", true],
  ["**/dir2/**", "dir/dir2/dir2/file", true],
  ["**file", "some/file", true],
  ["**file", "filed", false],
  ["**/file", "some/other/file", true],
  ["**/file", "somefile", false],
  ["a/**/b", "a/b", true],
  ["a/**/b", "a/x/y/b", true],
  ["a/**b", "a/xb", false],
  ["a/**b", "a/x/b", true],
  ["*", "a/b/c", true],
  ["*.go", "a.go", true],
  ["*.go", "x/a.go", false],
  ["*/*.go", "x/a.go", true],
  ["a?c", "abc", true],
  ["a?c", "a/c", false],
  ["[a-c]x", "bx", true],
  ["[^a-c]x", "bx", false],
  ["[^a-c]x", "dx", true],
  ["a\\*b", "a*b", true],
  ["a\\*b", "axb", false],
  ["a.b", "axb", false],
  ["a+(b)|{c}$", "a+(b)|{c}$", true],
  ["dir", "dir/a/b", true],
  ["dir/", "dir/a", true],
  ["/dir", "dir/a", true],
  ["./dir/../other", "other", true],
  ["dir", "direct", false],
  ["dir\n!dir/keep", "dir/keep", false],
  ["dir\n!dir/keep", "dir/keep/x", false],
  ["dir\n!dir/keep", "dir/other", true],
  ["*\n!*.md\nREADME.md", "README.md", true],
  ["*\n!*.md\nREADME.md", "CHANGES.md", false],
  ["!a", "a", false],
  ["*\n! a", "a", false],
  ["# a", "# a", false],
  ["é*", "éa", true],
  ["a*b*c*d/**/e", "axbxcxd/e", true],
  ["a*b*c*d/**/e", "abcd/x/y/e", true],
  ["a*b*c*d/**/e", "abcd/xe", false],
  ["a*b*c*d/**/e", "ab/cd/e", false],
  ["**/a*/**/b*/**/c", "a/b/c", true],
  ["**/a*/**/b*/**/c", "x/ay/z/b/z/c", true],
  ["**/a*/**/b*/**/c", "x/ay/z/b/zc", false],
  ["**/*/*/x**", "a/b/xy/z", true],
];

test("many stars in a pattern, and many directories in a path, cost no more than their product", () => {
  const path = "a/".repeat(1000);
  for (const pattern of ["**/a/**/a/**/a/**/a/**/a/**/a/**/b", "**a**a**a**a**a**b", `${"*a*/".repeat(30)}**/b`])
    assert.equal(new PatternMatcher([pattern]).matches(path.slice(0, 120)), false, pattern);
});

for (const [patterns, path, ignored] of cases) {
  test(`${path} with ${JSON.stringify(patterns)} is ${ignored ? "left out" : "taken"}`, () => {
    assert.equal(new PatternMatcher(readIgnoreFile(patterns)).matches(path), ignored);
  });
}

test("an ignore file is read line by line", () => {
  const text = "\uFEFF# comment\n  # no comment\n\n  a/b/  \r\n/c\n! /d/\n!\n/\n";
  assert.deepEqual(readIgnoreFile(text), ["# no comment", "a/b", "c", "!d", "!", "/"]);
});

test("what is no pattern is refused", () => {
  assert.throws(() => new PatternMatcher(["!"]), { kind: "invalid", message: 'illegal exclusion pattern: "!"' });
  assert.throws(() => new PatternMatcher(["[a"]), /syntax error in pattern/);
  assert.throws(() => new PatternMatcher(["[]"]), /syntax error in pattern/);
  assert.throws(() => new PatternMatcher(["[b-a]"]), /syntax error in pattern/);
});

test("an excluded directory is entered when something in it may be wanted", () => {
  const below = (patterns: string[], directory: string) => new PatternMatcher(patterns).mayMatchBelow(directory);
  assert.equal(below(["*"], "a"), false);
  assert.equal(below(["*", "!a/b"], "a"), true);
  assert.equal(below(["*", "!a/b"], "c"), false);
  assert.equal(below(["*", "!a/b"], "a/b"), true);
  assert.equal(below(["*", "!**/x"], "a/b/c"), true);
  assert.equal(below(["*", "!a/*/x"], "a/b"), true);
  assert.equal(below(["*", "!a"], "a/b"), false);
});

test("exclusion is handed down while walking", () => {
  const matcher = new PatternMatcher(["a", "!a/b/keep"]);
  const directory = matcher.step("a", []);
  assert.equal(directory.result, true);
  const inner = matcher.step("a/b", directory.matched);
  assert.equal(inner.result, true);
  assert.equal(matcher.step("a/b/keep", inner.matched).result, false);
  assert.equal(matcher.step("a/b/other", inner.matched).result, true);
});
