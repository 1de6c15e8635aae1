import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "./errors.ts";
import { flag, integer, later, list, text } from "./options.ts";
import { parseArguments } from "./parse.ts";

const grammar = {
  flagsFirst: true,
  options: {
    interactive: flag("i", ""),
    tty: flag("t", ""),
    "sig-proxy": flag("", "", true),
    env: list("e", ""),
    name: text("", ""),
    last: integer("n", ""),
    publish: later("publishing ports is", { short: "p" }),
  },
};

const parse = (...argv: string[]): ReturnType<typeof parseArguments> => parseArguments(grammar, argv);

test("switches may be joined, and may have a value", () => {
  const { values, args } = parse("-it", "--sig-proxy=false", "image");
  assert.deepEqual(values, { ...values, interactive: true, tty: true, "sig-proxy": false });
  assert.deepEqual(args, ["image"]);
  assert.equal(parse("-t=false", "x").values.tty, false);
  assert.equal(parse("-it=0", "x").values.tty, false);
});

test("options take their value joined, after = and as the next word", () => {
  const words = ["-eA=1", "-e=B=2", "-e", "C=3", "--env=D=4", "--env", "-x", "-iteE=5", "--name", "", "x"];
  const { values } = parse(...words);
  assert.deepEqual(values.env, ["A=1", "B=2", "C=3", "D=4", "-x", "E=5"]);
  assert.equal(values.name, "");
  assert.equal(values.interactive, true);
});

test("flags end where the container's command starts", () => {
  assert.deepEqual(parse("-i", "image", "ls", "-l", "--help", "--", "-x").args, [
    "image",
    "ls",
    "-l",
    "--help",
    "--",
    "-x",
  ]);
  assert.deepEqual(parse("--", "-image").args, ["-image"]);
  const mixed = parseArguments({ ...grammar, flagsFirst: false }, ["a", "-i", "b", "--name", "n", "-"]);
  assert.deepEqual(mixed.args, ["a", "b", "-"]);
  assert.equal(mixed.values.name, "n");
});

test("help is asked for before the container's command only", () => {
  assert.equal(parse("--help").help, true);
  assert.equal(parse("image", "--help").help, false);
});

const refused: readonly (readonly [words: readonly string[], message: RegExp])[] = [
  [["--foo", "x"], /^unknown flag: --foo$/],
  [["--foo=1", "x"], /^unknown flag: --foo$/],
  [["--nme", "x"], /^unknown flag: --nme\n\nDid you mean --name\?$/],
  [["-z", "x"], /^unknown shorthand flag: 'z' in -z$/],
  [["-iz", "x"], /^unknown shorthand flag: 'z' in -z$/],
  [["-e"], /^flag needs an argument/],
  [["--tty=maybe", "x"], /^invalid argument "maybe" for "-t, --tty" flag: /],
  [["-n", "x"], /^invalid argument "x" for "-n, --last" flag: /],
  [["-p", "80:80", "x"], /publishing ports is not in this version of Sampan yet/],
];

for (const [words, message] of refused) {
  test(`${words.join(" ")} is refused`, () => {
    assert.throws(
      () => parse(...words),
      (error) => error instanceof UsageError && message.test(error.message),
    );
  });
}
