import assert from "node:assert/strict";
import { test } from "node:test";
import { modeChange } from "./mode.ts";

test("modes change as chmod(1) changes them", () => {
  const cases: [change: string, mode: number, isDirectory: boolean, result: number][] = [
    ["755", 0o600, false, 0o755],
    ["4711", 0o600, false, 0o4711],
    ["u=rwX,go=rX", 0o600, false, 0o644],
    ["u=rwX,go=rX", 0o700, false, 0o755],
    ["u=rwX,go=rX", 0o600, true, 0o755],
    ["+x", 0o644, false, 0o755],
    ["a-w", 0o666, false, 0o444],
    ["g=u", 0o640, false, 0o660],
    ["u+s,o+t", 0o755, false, 0o5755],
    ["u+t", 0o755, false, 0o755],
    ["+t", 0o755, true, 0o1755],
    ["go=", 0o777, false, 0o700],
  ];
  for (const [change, mode, isDirectory, result] of cases) {
    assert.equal(
      modeChange(change)(mode, isDirectory).toString(8),
      result.toString(8),
      `${change} ${mode.toString(8)}`,
    );
  }
  for (const bad of ["", "999", "u=z", "rwx", "u"]) assert.throws(() => modeChange(bad), { kind: "invalid" });
});
