import assert from "node:assert/strict";
import { test } from "node:test";
import { kindOf } from "../../errors/index.ts";
import { egressConfig, parseEgress } from "./egress.ts";

test("deny allows nothing more, allow= names what may be reached", () => {
  assert.deepEqual(parseEgress("deny"), []);
  assert.deepEqual(parseEgress("allow=a.example:443"), ["a.example:443"]);
  assert.deepEqual(parseEgress("allow=a.example, 10.0.0.0/8,[2001:db8::1]:443"), [
    "a.example",
    "10.0.0.0/8",
    "[2001:db8::1]:443",
  ]);
  for (const text of ["", "allow", "allow=", "allow=a,", "allow=,a", "Deny", "allow:a", "a.example"])
    assert.throws(
      () => parseEgress(text),
      (error) => kindOf(error) === "invalid",
      text,
    );
});

test("what is said several times adds up; nothing said is no policy", () => {
  assert.equal(egressConfig([]), undefined);
  assert.deepEqual(egressConfig([[]]), { Allow: [] });
  assert.deepEqual(egressConfig([[], ["a"], ["b", "c"]]), { Allow: ["a", "b", "c"] });
});
