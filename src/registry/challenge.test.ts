import assert from "node:assert/strict";
import { test } from "node:test";
import { parseChallenges } from "./challenge.ts";

const parse = (header: string) =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

test("challenges are read with their parameters", () => {
  assert.deepEqual(
    parse('Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"'),
    [
      [
        "bearer",
        { realm: "https://auth.docker.io/token", service: "registry.docker.io", scope: "repository:a/b:pull,push" },
      ],
    ],
  );
  assert.deepEqual(parse('Basic realm="a \\"b\\""'), [["basic", { realm: 'a "b"' }]]);
  assert.deepEqual(parse('Basic realm=x, Bearer Realm = "y" , scope=z'), [
    ["basic", { realm: "x" }],
    ["bearer", { realm: "y", scope: "z" }],
  ]);
  assert.deepEqual(parse("Negotiate, Basic realm=x"), [
    ["negotiate", {}],
    ["basic", { realm: "x" }],
  ]);
});

test("malformed headers end the list and never hang", () => {
  assert.deepEqual(parse(""), []);
  assert.deepEqual(parse('="x"'), []);
  assert.deepEqual(parse('Bearer realm="unclosed'), [["bearer", {}]]);
  parse(`Bearer ${'a="'.repeat(20_000)}`);
});
