import assert from "node:assert/strict";
import { test } from "node:test";
import { algorithmOf, chainIds, digestOf, hexOf, isDigest, parseDiffId, parseDigest } from "./digest.ts";

const empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

test("digests of bytes", () => {
  assert.equal(digestOf(""), empty);
  assert.equal(algorithmOf(parseDigest(empty)), "sha256");
  assert.equal(`sha256:${hexOf(parseDigest(empty))}`, empty);
  assert.ok(isDigest(digestOf("x", "sha512")));
});

test("what is no digest is refused", () => {
  const hex = empty.slice(7);
  for (const text of [
    "",
    ":",
    hex,
    "sha256:",
    `sha256:${hex.slice(1)}`,
    `sha256:${hex.toUpperCase()}`,
    `md5:${hex}`,
    `constructor:${hex}`,
    `sha256:../${hex.slice(3)}`,
  ]) {
    assert.ok(!isDigest(text), text);
    assert.throws(() => parseDigest(text), { kind: "invalid" });
  }
});

test("a chain id depends on all layers below", () => {
  const [a, b] = [parseDiffId(digestOf("a")), parseDiffId(digestOf("b"))];
  const [first, second] = chainIds([a, b]);
  assert.equal(first, a);
  assert.equal(second, digestOf(`${a} ${b}`));
  assert.deepEqual(chainIds([]), []);
});
