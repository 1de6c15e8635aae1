import assert from "node:assert/strict";
import { test } from "node:test";
import { commands } from "./commands.ts";
import { whyLater } from "./later-commands.ts";

test("docker's commands that are not there are refused with the reason, by their whole name", () => {
  assert.match(whyLater(["buildx", "du"]) ?? "", /^'buildx du' is not there: use system df/);
  assert.match(whyLater(["buildx", "create"]) ?? "", /^'buildx create' is not there: of buildx, build and prune are/);
  for (const words of [["bake"], ["buildx", "bake"]]) assert.match(whyLater(words) ?? "", /bake files are not/);
  assert.match(whyLater(["volume", "update"]) ?? "", /^'volume update' is not there: /);
  assert.match(whyLater(["container", "checkpoint"]) ?? "", /^'checkpoint' is not there: /);
  assert.match(whyLater(["swarm", "init"]) ?? "", /^'swarm' is not there: Sampan has no swarm/);
  for (const words of [[], ["frob"], ["volume", "frob"], ["toString"]]) assert.equal(whyLater(words), undefined);
});

test("what is there is not refused", () => {
  const there = commands.flatMap(({ paths }) => paths).filter((path) => !/^buildx /.test(path));
  assert.deepEqual(
    there.filter((path) => whyLater(path.split(" ")) !== undefined),
    [],
  );
});
