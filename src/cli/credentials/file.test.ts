import assert from "node:assert/strict";
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readConfig, writeConfig } from "./file.ts";

test("a config file that is a link stays one, and is never seen half written or by others", () => {
  const directory = mkdtempSync(join(tmpdir(), "sampan-config-"));
  try {
    const kept = join(directory, "dotfiles.json");
    const path = join(directory, "docker/config.json");
    writeConfig(path, { credsStore: "first" });
    assert.deepEqual([readConfig(path), statSync(path).mode & 0o777], [{ credsStore: "first" }, 0o600]);
    rmSync(path);
    writeFileSync(kept, "{}", { mode: 0o644 });
    symlinkSync("../dotfiles.json", path);
    writeConfig(path, { credsStore: "second" });
    assert.equal(lstatSync(path).isSymbolicLink(), true);
    assert.deepEqual([readConfig(kept), statSync(kept).mode & 0o777], [{ credsStore: "second" }, 0o600]);
    rmSync(path);
    mkdirSync(path);
    assert.throws(() => writeConfig(path, {}), { code: "EISDIR" });
    assert.deepEqual(readdirSync(join(directory, "docker")), ["config.json"]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
