import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import type { TarEntry } from "../../storage/tar/entry.ts";
import { tarEnd, tarHeader, tarPadding } from "../../storage/tar/writer.ts";
import { unpackLocal } from "./unpack-local.ts";

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "sampan-unpack-"));
  for (const name of ["inside", "outside"]) mkdirSync(join(base, name));
});
afterEach(() => rmSync(base, { recursive: true }));

function part(name: string, type: TarEntry["type"], more: { linkName?: string; body?: string } = {}): Uint8Array {
  const { linkName = "", body = "" } = more;
  const plain = { mode: 0o755, uid: 0, gid: 0, mtime: { seconds: 1, nanoseconds: 0 }, major: 0, minor: 0 };
  const header = tarHeader({ ...plain, type, name, linkName, size: body.length, xattrs: [], sparse: false });
  return Buffer.concat([header, Buffer.from(body), Buffer.alloc(tarPadding(body.length))]);
}

async function unpack(...parts: readonly Uint8Array[]): Promise<void> {
  const tar = (async function* () {
    yield* parts;
    yield tarEnd;
  })();
  await unpackLocal(tar, join(base, "inside"), []);
}

test("missing directories are made, through links that stay inside too", async () => {
  const link = part("link", "symlink", { linkName: "a" });
  await unpack(part("a/b/file", "file", { body: "1" }), link, part("link/c/file", "file", { body: "2" }));
  assert.equal(readFileSync(join(base, "inside/a/b/file"), "utf8"), "1");
  assert.equal(readFileSync(join(base, "inside/a/c/file"), "utf8"), "2");
});

test("nothing is made behind a link that leads out", async () => {
  const link = part("link", "symlink", { linkName: "../outside" });
  await assert.rejects(unpack(link, part("link/file", "file")), /is outside of/);
  await assert.rejects(unpack(part("link/deep/er/file", "file")), /is outside of/);
  symlinkSync("../outside/missing", join(base, "inside/broken"));
  await assert.rejects(unpack(part("broken/file", "file")));
  assert.ok(!existsSync(join(base, "outside/deep")) && !existsSync(join(base, "outside/missing")));
  await assert.rejects(unpack(part("hard", "hardlink", { linkName: "link/deep/file" })), /is outside of/);
  await assert.rejects(unpack(part("a/../../file", "file")), /is outside of/);
});
