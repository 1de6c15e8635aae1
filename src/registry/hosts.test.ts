import assert from "node:assert/strict";
import { test } from "node:test";
import { isInsecure, isLoopback } from "./hosts.ts";

test("loopback may be spoken to in plain", () => {
  for (const host of ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "::1"]) assert.ok(isLoopback(host), host);
  for (const host of ["localhost.example.com", "128.0.0.1", "127.example.com", "[::2]"])
    assert.ok(!isLoopback(host), host);
  assert.ok(isInsecure("localhost:5000", []));
  assert.ok(isInsecure("[::1]:5000", []));
  assert.ok(!isInsecure("example.com", []));
});

test("listed registries and networks may, too", () => {
  assert.ok(isInsecure("example.com:5000", ["example.com:5000"]));
  assert.ok(!isInsecure("example.com:5001", ["example.com:5000"]));
  assert.ok(isInsecure("example.com:5001", ["example.com"]));
  assert.ok(isInsecure("10.1.2.3:5000", ["10.0.0.0/8"]));
  assert.ok(!isInsecure("11.1.2.3:5000", ["10.0.0.0/8", "nonsense/8", "10.0.0.0/99999"]));
  assert.ok(isInsecure("[fd00::1]:5000", ["fd00::/8"]));
});
