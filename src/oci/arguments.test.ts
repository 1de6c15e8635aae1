import assert from "node:assert/strict";
import { test } from "node:test";
import { numberOption, parseArguments } from "./arguments.ts";

const table = {
  bundle: { kind: "text", short: "b", help: "" },
  detach: { kind: "flag", short: "d", help: "" },
  env: { kind: "texts", short: "e", help: "" },
} as const;

test("options are read in all the ways that Go's programs take them", () => {
  for (const args of [["--bundle", "x"], ["--bundle=x"], ["-b", "x"], ["-bundle", "x"], ["-b=x"]])
    assert.equal(parseArguments(args, table).options.bundle, "x", args.join(" "));
  assert.deepEqual(parseArguments(["-e", "A=1", "--env", "B=2=3"], table).options.env, ["A=1", "B=2=3"]);
  assert.equal(parseArguments(["--detach=false"], table).options.detach, false);
});

test("the first word ends the options: what follows is somebody else's", () => {
  const { options, words } = parseArguments(["-d", "id", "sh", "-c", "x"], table);
  assert.equal(options.detach, true);
  assert.deepEqual(words, ["id", "sh", "-c", "x"]);
  assert.deepEqual(parseArguments(["--", "-d"], table).words, ["-d"]);
});

test("what is no option, or lacks its value, is refused", () => {
  assert.throws(() => parseArguments(["--nope"], table), /flag provided but not defined: -nope/);
  assert.throws(() => parseArguments(["--bundle"], table), /flag needs an argument: -bundle/);
  assert.throws(() => parseArguments(["--detach=maybe"], table), /invalid boolean value "maybe"/);
  assert.throws(() => numberOption("3x", "preserve-fds"), /-preserve-fds: it must be a whole number/);
  assert.equal(numberOption("-1", "memory-swap"), -1);
});
