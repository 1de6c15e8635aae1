import assert from "node:assert/strict";
import { test } from "node:test";
import { fallback, flag, integer, list, object, oneOf, optional, parse, refused, table, text, wide } from "./shape.ts";

const shape = object({
  name: text,
  on: fallback(flag, true),
  limits: list(object({ value: wide })),
  labels: table(text),
  kind: optional(oneOf(["a", "b"])),
  size: optional(integer),
  later: refused("not yet"),
});

test("a document is read with its defaults; null is as good as absent, what is unknown is passed over", () => {
  const read = parse('{"name":"x","on":null,"limits":null,"unknown":1}', shape, "config.json");
  assert.deepEqual(read, {
    name: "x",
    on: true,
    limits: [],
    labels: {},
    kind: undefined,
    size: undefined,
    later: undefined,
  });
});

test("numbers of 64 bits are exact", () => {
  const read = parse('{"name":"","limits":[{"value":18446744073709551615},{"value":-1}]}', shape, "x");
  assert.deepEqual(read.limits, [{ value: 18446744073709551615n }, { value: -1n }]);
});

test("what is wrong is told with its path", () => {
  const wrong = (json: string) => () => parse(json, shape, "config.json");
  assert.throws(wrong('{"name":1}'), /Cannot use config.json: name: must be a string/);
  assert.throws(wrong("{}"), /name: must be a string/);
  assert.throws(
    wrong('{"name":"","limits":[{"value":1},{"value":"2"}]}'),
    /limits\[1\]\.value: must be a whole number/,
  );
  assert.throws(wrong('{"name":"","labels":{"a":1}}'), /labels\.a: must be a string/);
  assert.throws(wrong('{"name":"","kind":"c"}'), /kind: "c" is none of a, b/);
  assert.throws(wrong("[]"), /the document must be an object|the document: must be an object/);
  assert.throws(wrong("{"), /Cannot read config.json/);
});

test("a field that is known and refused may ask for nothing", () => {
  for (const value of ["null", '""', "0", "[]", "{}", '{"a":[],"b":0}'])
    assert.equal(parse(`{"name":"","later":${value}}`, shape, "x").later, undefined);
  assert.throws(() => parse('{"name":"","later":{"a":1}}', shape, "x"), /later is not supported: not yet/);
});
