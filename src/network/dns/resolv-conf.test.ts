import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { parseServers, ResolverFile } from "./resolv-conf.ts";

test("a resolv.conf is read as resolv.conf(5) says", () => {
  const text = [
    "# made by somebody",
    "domain a.example",
    "\tnameserver  192.0.2.1 ; the first",
    "nameserver fe80::1%eth0",
    "search b.example c.example",
    "#nameserver 192.0.2.3",
    "nameserver ns.example",
    "nameserver",
  ].join("\n");
  assert.deepEqual(parseServers(text), ["192.0.2.1", "fe80::1%eth0"]);
  assert.deepEqual(parseServers(""), []);
});

test("a file is followed: written, renamed over, behind a link, gone and back", (context: TestContext) => {
  const directory = mkdtempSync(join(tmpdir(), "sampan-"));
  context.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "resolv.conf");
  const file = new ResolverFile(path);
  const servers = () => file.servers;
  assert.deepEqual(servers(), []);
  writeFileSync(path, "nameserver 192.0.2.1\n");
  assert.deepEqual(servers(), ["192.0.2.1"]);
  writeFileSync(path, "nameserver 192.0.2.22\n");
  assert.deepEqual(servers(), ["192.0.2.22"]);
  writeFileSync(join(directory, "new"), "nameserver 192.0.2.33\n");
  renameSync(join(directory, "new"), path);
  assert.deepEqual(servers(), ["192.0.2.33"]);
  writeFileSync(join(directory, "stub"), "nameserver 127.0.0.53\n");
  unlinkSync(path);
  assert.deepEqual(servers(), []);
  symlinkSync("stub", path);
  assert.deepEqual(servers(), ["127.0.0.53"]);
  writeFileSync(join(directory, "stub"), "nameserver 192.0.2.4\n");
  assert.deepEqual(servers(), ["192.0.2.4"]);
});
