import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { SecretStore } from "./store.ts";

let root: string;
before(() => {
  root = mkdtempSync(join(tmpdir(), "sampan-secrets-"));
});
after(() => rmSync(root, { recursive: true }));

test("a secret of any size is kept whole, where only its owner reads, and nothing beside it", () => {
  const store = new SecretStore(root);
  const data = Buffer.alloc(500 * 1024 - 1, "0123456789abcdef");
  const { id } = store.insert({ name: "large", labels: {}, data });
  assert.ok(store.read("large")?.equals(data));
  assert.deepEqual(readdirSync(join(root, "secrets")), [id]);
  assert.equal(statSync(join(root, "secrets")).mode & 0o777, 0o700);
  assert.equal(statSync(join(root, "secrets", id)).mode & 0o777, 0o600);
  store.update(id, { a: "b" });
  assert.ok(new SecretStore(root).read(id)?.equals(data), "labels are changed alone");
  assert.deepEqual([store.find(id)?.version, store.find(id)?.labels], [2, { a: "b" }]);
  assert.ok(!("data" in (store.find(id) ?? {})));
  store.delete(id);
  assert.deepEqual(store.list(), []);
});

test("a secret that cannot be kept leaves nothing behind", () => {
  const full = join(root, "full");
  mkdirSync(full);
  writeFileSync(join(full, "secrets"), "not a directory");
  chmodSync(full, 0o700);
  const store = new SecretStore(full);
  assert.throws(() => store.insert({ name: "x", labels: {}, data: Buffer.from("x") }), /Cannot keep secret x/);
  assert.deepEqual(readdirSync(full), ["secrets"]);
});
