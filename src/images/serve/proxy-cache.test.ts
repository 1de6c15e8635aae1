import assert from "node:assert/strict";
import { test } from "node:test";
import { openDatabase } from "../../storage/database.ts";
import { digestOf } from "../../storage/digest.ts";
import type { Garbage } from "../garbage.ts";
import { ImageRecords } from "../records.ts";
import { ProxyCache } from "./proxy-cache.ts";

const digest = digestOf("blob");
const day = 24 * 3600 * 1000;

function opened() {
  const db = openDatabase(":memory:");
  const records = new ImageRecords(db);
  const collected: string[] = [];
  const collect: Garbage["collect"] = async (blobs) => {
    collected.push(...blobs);
    return [];
  };
  return { cache: new ProxyCache(db, { records, garbage: { collect } }), records, collected };
}

test("a size that is only promised gives way to what was read last, and to doubt; one that was found out stays", () => {
  const { cache } = opened();
  cache.expect([{ digest, size: 5 }]);
  cache.expect([{ digest, size: 7 }]);
  assert.equal(cache.sizeOf(digest), 7);
  cache.doubt(digest);
  assert.equal(cache.sizeOf(digest), undefined);
  cache.expect([{ digest, size: 5 }]);
  cache.keep({ digest, size: 7 });
  cache.expect([{ digest, size: 5 }]);
  cache.doubt(digest);
  assert.equal(cache.sizeOf(digest), 7);
});

test("what nobody has wanted for a week is given up, with the tags that stood for it", async () => {
  const { cache, records, collected } = opened();
  cache.keep({ digest, size: 7 }, 0);
  cache.setTag("docker.io/library/a:1", digest);
  await cache.expire(6 * day);
  assert.equal(records.usesBlob(digest), true);
  await cache.expire(8 * day);
  assert.equal(records.usesBlob(digest), false);
  assert.deepEqual(collected, [digest]);
  assert.equal(cache.tag("docker.io/library/a:1"), undefined);
  assert.equal(cache.sizeOf(digest), undefined);
});
