import assert from "node:assert/strict";
import { test } from "node:test";
import { openDatabase } from "../storage/database.ts";
import { chainIds, digestOf, parseDiffId } from "../storage/digest.ts";
import { hostPlatform } from "./platform.ts";
import { ImageRecords, type NewImage } from "./records.ts";

function image(name: string, created: string, layers: string[]): NewImage {
  const diffIds = layers.map((layer) => parseDiffId(digestOf(layer)));
  const chains = chainIds(diffIds);
  const stored = diffIds.flatMap((diffId, i) =>
    chains[i] ? [{ diffId, chainId: chains[i], size: 10 * (i + 1) }] : [],
  );
  const config = { ...hostPlatform(), created, rootfs: { type: "layers" as const, diff_ids: diffIds } };
  const manifest = { digest: digestOf(`manifest ${name}`), mediaType: "m", size: 1 };
  return {
    id: digestOf(name),
    config,
    manifest,
    layers: stored,
    blobs: [manifest.digest, ...layers.map((l) => digestOf(`gz ${l}`))],
  };
}

const old = image("old", "2020-01-01T00:00:00Z", ["base", "one"]);
const young = image("young", "2024-01-01T00:00:00Z", ["base"]);

function filled(): ImageRecords {
  const records = new ImageRecords(openDatabase(":memory:"));
  for (const one of [old, young]) records.insert(one);
  records.addName(old.id, "old:1");
  return records;
}

test("images are listed newest first, with all there is to know", () => {
  const records = filled();
  assert.deepEqual(
    records.visible().map(({ id }) => id),
    [young.id, old.id],
  );
  const stored = records.byName("old:1");
  assert.deepEqual(stored?.layers, old.layers);
  assert.deepEqual(stored?.config, old.config);
  assert.equal(stored?.size, 30);
  assert.notEqual(stored?.taggedAt, "");
});

test("a name belongs to one image", () => {
  const records = filled();
  records.addName(young.id, "old:1");
  assert.deepEqual(records.byId(old.id)?.names, []);
  assert.deepEqual(records.byId(young.id)?.names, ["old:1"]);
  records.dropName(old.id, "old:1");
  assert.deepEqual(records.byId(young.id)?.names, ["old:1"]);
});

test("what images share stays until the last of them is deleted", () => {
  const records = filled();
  const [base, one] = old.layers;
  assert.ok(base && one);
  assert.deepEqual(records.delete(old.id).chains, [one.chainId, base.chainId]);
  assert.ok(records.usesLayer(base.chainId));
  assert.ok(!records.usesLayer(one.chainId));
  assert.ok(records.usesBlob(digestOf("gz base")));
  records.delete(young.id);
  assert.ok(!records.usesBlob(digestOf("gz base")));
});

test("a hidden image is not seen but keeps its layers; it comes back by being stored again", () => {
  const records = filled();
  records.hide(old.id);
  assert.equal(records.byId(old.id), undefined);
  assert.deepEqual(
    records.hidden().map(({ id }) => id),
    [old.id],
  );
  assert.deepEqual(
    records.manifests().map(({ image }) => image),
    [young.id],
  );
  records.insert(old);
  assert.ok(records.byId(old.id));
});

test("a failed change changes nothing, in memory neither", () => {
  const records = filled();
  assert.throws(() =>
    records.change(() => {
      records.addName(young.id, "young:1");
      assert.deepEqual(records.byId(young.id)?.names, ["young:1"]);
      records.addName(digestOf("unknown"), "x:1");
    }),
  );
  assert.deepEqual(records.byId(young.id)?.names, []);
});
