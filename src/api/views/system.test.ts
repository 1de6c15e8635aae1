import assert from "node:assert/strict";
import { test } from "node:test";
import { withoutCredentials } from "./system.ts";

test("a proxy's name and password are not told", () => {
  const known = {
    "http://user:secret@proxy.example:3128": "http://xxxxx:xxxxx@proxy.example:3128",
    "user:p@ss@proxy:3128": "xxxxx:xxxxx@proxy:3128",
    "http://proxy:3128/a@b": "http://proxy:3128/a@b",
    "": "",
  };
  for (const [url, told] of Object.entries(known)) assert.equal(withoutCredentials(url), told);
  assert.equal(withoutCredentials(undefined), "");
});
