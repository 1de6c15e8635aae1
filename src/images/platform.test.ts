import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPlatform, hostPlatform, parsePlatform, runnable, suitability } from "./platform.ts";

test("platforms are read and written", () => {
  const cases: [string, string][] = [
    ["linux/amd64", "linux/amd64"],
    ["linux/x86_64", "linux/amd64"],
    ["Linux/AMD64/v1", "linux/amd64"],
    ["amd64", "linux/amd64"],
    ["linux/aarch64/v8", "linux/arm64"],
    ["linux/arm", "linux/arm/v7"],
    ["linux/armel", "linux/arm/v6"],
    ["linux/arm/6", "linux/arm/v6"],
  ];
  for (const [written, read] of cases) assert.equal(formatPlatform(parsePlatform(written)), read);
  for (const bad of ["", "/", "linux/", "a/b/c/d", "linux/a b"])
    assert.throws(() => parsePlatform(bad), { kind: "invalid" });
  assert.equal(formatPlatform(hostPlatform("x64")), "linux/amd64");
});

test("a processor runs its lesser variants, best first", () => {
  const of = (text: string) => runnable(parsePlatform(text)).map(formatPlatform);
  assert.deepEqual(of("linux/amd64"), ["linux/amd64", "linux/386"]);
  assert.deepEqual(of("linux/amd64/v3"), ["linux/amd64/v3", "linux/amd64/v2", "linux/amd64", "linux/386"]);
  assert.deepEqual(of("linux/arm64"), ["linux/arm64", "linux/arm/v8", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5"]);
  assert.deepEqual(of("linux/arm/v6"), ["linux/arm/v6", "linux/arm/v5"]);
  assert.deepEqual(of("linux/riscv64"), ["linux/riscv64"]);
});

test("what does not run does not suit", () => {
  const suits = (wanted: string, offered: string) => suitability(parsePlatform(wanted), parsePlatform(offered));
  assert.equal(suits("linux/arm64", "linux/arm64/v8"), 0);
  assert.equal(suits("linux/arm/v7", "linux/arm/v6"), 1);
  assert.equal(suits("linux/arm/v6", "linux/arm/v7"), undefined);
  assert.equal(suits("linux/amd64", "windows/amd64"), undefined);
  assert.equal(suits("linux/amd64", "unknown/unknown"), undefined);
});
