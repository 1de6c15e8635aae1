import assert from "node:assert/strict";
import { test } from "node:test";
import { isShort } from "../support/short.ts";
import { sources } from "./sources.ts";

test("what is left to the emulated machine's kernel runs there", () => {
  const left = sources("test/{suites,e2e}/*.test.ts").filter(({ text }) => text.includes("requiresKernel("));
  assert.deepEqual(
    left.map(({ path }) => path).filter((path) => !isShort(path)),
    [],
  );
});
