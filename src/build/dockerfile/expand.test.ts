// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a shell writes variables so
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  DockerfileError,
  type Expansion,
  expandForDisplay,
  expandHeredoc,
  expandWord,
  expandWords,
  parseDockerfile,
} from "./index.ts";
import { sourceFile } from "./source.ts";
import type { Word } from "./types.ts";

const variables: Readonly<Record<string, string>> = {
  a: "x",
  empty: "",
  path: "/usr/lib/libfoo.so.1",
  spaced: "b  c",
  tag: "v1.2.3-rc.4",
  é: "letter",
};

const scope: Expansion = {
  source: sourceFile("Dockerfile", ""),
  escape: "\\",
  lookup: (name) => (Object.hasOwn(variables, name) ? variables[name] : undefined),
};

function word(raw: string): Word {
  return { raw, range: { start: { line: 1, column: 1 }, end: { line: 1, column: 2 } } };
}

/** What a shell would make of it, where it is different only in what is no expansion of variables. */
const cases: readonly (readonly [raw: string, text: string])[] = [
  ["plain", "plain"],
  ["$a", "x"],
  ["$a$a", "xx"],
  ["${a}b", "xb"],
  ["$ab", ""],
  ["$é", "letter"],
  ["$", "$"],
  ["a$", "a$"],
  ["$/x", "$/x"],
  ["$1a", "a"],
  ["$12a", "a"],
  ["$@x", "x"],
  ["$$a", "a"],
  ["\\$a", "$a"],
  ["\\\\$a", "\\x"],
  ["\\a", "a"],
  ["end\\", "end"],
  ["'$a'", "$a"],
  ["'\\'", "\\"],
  ['"$a"', "x"],
  ['"\\$a"', "$a"],
  ['"\\a"', "\\a"],
  ['"\\""', '"'],
  ["\"'$a'\"", "'x'"],
  ["a'b'\"c\"d", "abcd"],
  ["${a:-b}", "x"],
  ["${none:-b}", "b"],
  ["${none-b}", "b"],
  ["${empty:-b}", "b"],
  ["${empty-b}", ""],
  ["${none:-$a}", "x"],
  ["${none:-${none:-${a}}}", "x"],
  ["${none:-'$a'}", "$a"],
  ['${none:-"a b"}', "a b"],
  ["${none:-}", ""],
  ["${a:+b}", "b"],
  ["${empty:+b}", ""],
  ["${empty+b}", "b"],
  ["${none:+b}", ""],
  ["${a:?no}", "x"],
  ["${empty?no}", ""],
  ["${path#/}", "usr/lib/libfoo.so.1"],
  ["${path#*/}", "usr/lib/libfoo.so.1"],
  ["${path##*/}", "libfoo.so.1"],
  ["${path%.*}", "/usr/lib/libfoo.so"],
  ["${path%%.*}", "/usr/lib/libfoo"],
  ["${path%/*}", "/usr/lib"],
  ["${path#nothing}", "/usr/lib/libfoo.so.1"],
  ["${path%?}", "/usr/lib/libfoo.so."],
  ["${tag#v}", "1.2.3-rc.4"],
  ["${tag%-*}", "v1.2.3"],
  ["${tag/v/w}", "w1.2.3-rc.4"],
  ["${tag/./_}", "v1_2.3-rc.4"],
  ["${tag//./_}", "v1_2_3-rc_4"],
  ["${tag//[.]/_}", "v1.2.3-rc.4"],
  ["${tag/*-/}", "rc.4"],
  ["${path//\\//_}", "_usr_lib_libfoo.so.1"],
  ["${a/x/$a$a}", "xx"],
  ["${a/\\*/y}", "x"],
  ["${none#x}", ""],
  ["<", "<"],
  ["<<  EOT", "<<  EOT"],
];

for (const [raw, text] of cases) {
  test(`${raw} expands`, () => assert.equal(expandWord(word(raw), scope), text));
}

const refused: readonly (readonly [raw: string, reason: string])[] = [
  ["${", "syntax error: missing '}'"],
  ["${a", "syntax error: missing '}'"],
  ["${a:-b", "syntax error: missing '}'"],
  ["${}", "syntax error: bad substitution"],
  ["${:-a}", "syntax error: bad substitution"],
  ["${{a}}", "syntax error: bad substitution"],
  ["${a:x}", "unsupported modifier (:x) in substitution"],
  ["${a:#x}", "unsupported modifier (:#) in substitution"],
  ["${a@Q}", "unsupported modifier (@) in substitution"],
  ["${#a}", "unsupported modifier (a) in substitution"],
  ["${none:?}", "none: is not allowed to be unset"],
  ["${none?set it}", "none: set it"],
  ["${empty:?}", "empty: is not allowed to be empty"],
  ["${path#\\a}", "invalid pattern (\\a) in substitution: invalid escape '\\a'"],
  ["'a", "unexpected end of statement while looking for matching single-quote"],
  ['"a', "unexpected end of statement while looking for matching double-quote"],
];

for (const [raw, reason] of refused) {
  test(`${raw} is refused`, () => {
    assert.throws(
      () => expandWord(word(raw), scope),
      (error) => error instanceof DockerfileError && assert.equal(error.reason, reason) === undefined,
    );
  });
}

test("words fall apart at spaces that are not quoted", () => {
  const words = (raw: string) => expandWords(word(raw), scope);
  assert.deepEqual(words("80 81"), ["80", "81"]);
  assert.deepEqual(words("$spaced"), ["b", "c"]);
  assert.deepEqual(words('"$spaced" d'), ["b  c", "d"]);
  assert.deepEqual(words("a\\ b c"), ["a b", "c"]);
  assert.deepEqual(words("80${a:+1}"), ["801"]);
  assert.deepEqual(words("$empty"), []);
});

test("the escape directive is what escapes", () => {
  const windows = { ...scope, escape: "`" } as const;
  assert.equal(expandWord(word("C:\\`$a\\$a"), windows), "C:\\$a\\x");
});

test("in a heredoc quotes are text, and nothing is expanded when its end is quoted", () => {
  const text = "FROM scratch\nCOPY <<a <<'b' /\n'$a' \"\\$a\"\na\n$a\nb\n";
  const copy = parseDockerfile(text, "Dockerfile").stages[0]?.instructions[0];
  const contents =
    copy?.kind === "COPY"
      ? copy.sources.map((source) => (source.kind === "heredoc" ? expandHeredoc(source.heredoc, scope) : ""))
      : [];
  assert.deepEqual(contents, ["'x' \"$a\"\n", "$a\n"]);
});

test("progress shows what is known and leaves the rest", () => {
  assert.equal(
    expandForDisplay("RUN echo \"$a\" $none ${none:-b} '$a'", scope),
    "RUN echo \"x\" $none ${none:-b} '$a'",
  );
  assert.equal(expandForDisplay("RUN echo 'open", scope), "RUN echo 'open");
});
