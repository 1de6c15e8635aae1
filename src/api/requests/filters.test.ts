import assert from "node:assert/strict";
import { test } from "node:test";
import { SampanError } from "../../errors/index.ts";
import { filterFlag, matchesLabels, parseFilters } from "./filters.ts";

function refused(action: () => unknown, message: string): void {
  assert.throws(
    action,
    (error) => error instanceof SampanError && error.kind === "invalid" && error.message === message,
  );
}

test("both forms of values are read", () => {
  assert.deepEqual({ ...parseFilters('{"status":["running","exited"]}') }, { status: ["running", "exited"] });
  assert.deepEqual({ ...parseFilters('{"status":{"running":true,"exited":false}}') }, { status: ["running"] });
  assert.deepEqual(parseFilters(undefined), {});
  assert.deepEqual(parseFilters(""), {});
});

test("what is no filter is refused in dockerd's words", () => {
  for (const text of ["x", "[]", "3", "null", '{"a":3}', '{"a":[1]}'])
    refused(() => parseFilters(text), "invalid filter");
  refused(() => parseFilters('{"colour":["red"]}', ["status"]), "invalid filter 'colour'");
});

test("a truth value is one", () => {
  assert.equal(filterFlag({}, "dangling"), undefined);
  assert.equal(filterFlag({ dangling: ["1"] }, "dangling"), true);
  assert.equal(filterFlag({ dangling: ["false"] }, "dangling"), false);
  refused(() => filterFlag({ dangling: ["x"] }, "dangling"), "invalid filter 'dangling=[x]'");
});

test("labels match by name or by name and value, all of them", () => {
  const labels = { a: "1", b: "x=y" };
  assert.ok(matchesLabels(labels, ["a"]));
  assert.ok(matchesLabels(labels, ["a=1", "b=x=y"]));
  assert.ok(matchesLabels(null, undefined));
  assert.ok(!matchesLabels(labels, ["a=2"]));
  assert.ok(!matchesLabels(labels, ["a", "toString"]));
  assert.ok(!matchesLabels(null, ["a"]));
});
