import assert from "node:assert/strict";
import { test } from "node:test";
import { negotiateEncoding } from "./encoding.ts";

const cases: readonly (readonly [string | undefined, string])[] = [
  [undefined, "identity"],
  ["", "identity"],
  ["identity", "identity"],
  ["gzip", "gzip"],
  ["x-gzip", "gzip"],
  ["deflate, gzip", "gzip"],
  ["deflate;q=1, gzip;q=0.5", "deflate"],
  ["br, *;q=0.1", "gzip"],
  ["gzip;q=0, deflate", "deflate"],
  ["gzip;q=0", "identity"],
];
for (const [header, wanted] of cases) {
  test(`Accept-Encoding: ${header}`, () => assert.equal(negotiateEncoding(header), wanted));
}
