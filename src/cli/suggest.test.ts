import assert from "node:assert/strict";
import { test } from "node:test";
import { closest } from "../errors/suggest.ts";
import { commands, findCommand } from "./commands.ts";

test("what was nearly typed is suggested", () => {
  const known = commands.flatMap(({ paths }) => paths);
  assert.equal(closest("stpo", known), "stop");
  assert.equal(closest("image", known), "images");
  assert.equal(closest("container sotp", known), "container stop");
  assert.equal(closest("zebra", known), undefined);
});

test("commands are listed by name, the common ones first", () => {
  const names = (some: typeof commands) => some.map(({ paths }) => paths[0]);
  const common = commands.filter(({ common }) => common);
  const rest = names(commands.slice(common.length));
  assert.deepEqual(names(commands.slice(0, common.length)), names(common));
  assert.deepEqual(rest, rest.toSorted());
});

test("commands are found by all their paths, and all can be loaded", async () => {
  assert.equal(findCommand(["container", "ls", "-a"])?.path, "container ls");
  assert.deepEqual(findCommand(["ps", "-a"])?.rest, ["-a"]);
  assert.equal(findCommand(["container"]), undefined);
  for (const { load } of commands) {
    const { default: command } = await load();
    const letters = Object.values(command.options).flatMap(({ short }) => short ?? []);
    assert.equal(new Set(letters).size, letters.length, "two options share a letter");
  }
});
