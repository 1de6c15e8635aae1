import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress, parseAddress } from "./addresses.ts";
import { parseOptions } from "./options.ts";

test("only what cannot be reached from elsewhere is listened at", () => {
  for (const text of ["tcp://127.0.0.1:2375", "tcp://[::1]:2375", "tcp://localhost:0", "unix:///run/x.sock"]) {
    assert.equal(formatAddress(parseAddress(text)), text);
  }
  for (const text of ["tcp://0.0.0.0:2375", "tcp://10.0.0.1:1", "tcp://example.com:1", "tcp://[::]:1"]) {
    assert.throws(() => parseAddress(text), /only loopback addresses are safe/, text);
  }
  for (const text of [
    "",
    "unix://relative",
    "tcp://127.0.0.1",
    "tcp://127.0.0.1:99999",
    "fd://",
    `unix:///${"x".repeat(200)}`,
  ]) {
    assert.throws(() => parseAddress(text), /^SampanError: Cannot listen on/, text);
  }
});

test("idle-exit may have a number", () => {
  assert.equal(parseOptions([])?.idleExit, undefined);
  assert.equal(parseOptions(["--idle-exit"])?.idleExit, 60);
  assert.equal(parseOptions(["--idle-exit=2.5", "--root", "/x"])?.idleExit, 2.5);
  assert.throws(() => parseOptions(["--idle-exit=soon"]), /wanted a number/);
});

test("mistakes show how it is meant", () => {
  assert.throws(() => parseOptions(["--colour"]), /Usage: sampan daemon/);
  assert.throws(() => parseOptions(["--log-level", "loud"]), /wanted fatal, error/);
  assert.equal(parseOptions(["--help"]), undefined);
});
