import assert from "node:assert/strict";
import { test } from "node:test";
import { checkPolicy, matchesName, mayBeNamed, parseDestination } from "./policy.ts";

test("entries are names, wildcards, addresses and ranges, with and without a port", () => {
  const cases: [string, object][] = [
    ["API.Example.com.", { name: "api.example.com", wildcard: false }],
    ["api.example.com:443", { name: "api.example.com", wildcard: false, port: 443 }],
    ["*.example.com", { name: "example.com", wildcard: true }],
    ["bücher.example", { name: "xn--bcher-kva.example", wildcard: false }],
    ["db", { name: "db", wildcard: false }],
    ["192.0.2.7", { range: "192.0.2.7/32" }],
    ["192.0.2.7:53", { range: "192.0.2.7/32", port: 53 }],
    ["10.1.2.3/8", { range: "10.0.0.0/8" }],
    ["10.0.0.0/8:5432", { range: "10.0.0.0/8", port: 5432 }],
    ["2001:DB8::1", { range: "2001:db8::1/128" }],
    ["[2001:db8::/32]:443", { range: "2001:db8::/32", port: 443 }],
    ["0.0.0.0/0", { range: "0.0.0.0/0" }],
  ];
  for (const [text, expected] of cases) assert.deepEqual(parseDestination(text), expected, text);
});

test("what is none of them is refused", () => {
  const bad = ["", "*", "*.*.com", "a..b", "300.1.1.1", "10.0.0.0/33", "host:0", "host:70000", "a b", "x/8", "-a.com"];
  for (const text of bad) assert.throws(() => parseDestination(text), /invalid egress destination/, text);
});

test("a policy has one form", () => {
  const allow = ["A.com", "a.com.", "10.1.2.3/8", "192.0.2.7/32", "[2001:db8::1]:443", "2001:db8::1", "192.0.2.7:80"];
  const expected = ["a.com", "10.0.0.0/8", "192.0.2.7", "[2001:db8::1]:443", "2001:db8::1", "192.0.2.7:80"];
  assert.deepEqual(checkPolicy({ allow }), { allow: expected });
  assert.deepEqual(checkPolicy({ allow: expected }), { allow: expected });
});

test("a wildcard is for what is below it", () => {
  const all = { name: "example.com", wildcard: true };
  assert.ok(matchesName(all, "a.example.com"));
  assert.ok(matchesName(all, "a.b.example.com"));
  for (const other of ["example.com", "badexample.com", "example.com.evil", ".example.com", "a\\.example.com"])
    assert.ok(!matchesName(all, other), other);
  assert.ok(!matchesName({ name: "example.com", wildcard: false }, "a.example.com"));
});

test("names do not lead to loopback, link-local or multicast addresses", () => {
  for (const address of ["127.0.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "::1", "fe80::1", "ff02::1", "::"])
    assert.ok(!mayBeNamed(address), address);
  for (const address of ["192.0.2.1", "10.0.0.1", "2001:db8::1"]) assert.ok(mayBeNamed(address), address);
});
