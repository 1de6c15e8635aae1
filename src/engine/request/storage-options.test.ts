import assert from "node:assert/strict";
import { test } from "node:test";
import { normaliseHostConfig } from "./normalise.ts";
import { parseSize } from "./size.ts";
import { checkLayerStorage, layerLimit, withLayerLimit } from "./storage-options.ts";

test("sizes are read as docker reads them", () => {
  const sizes = {
    "10G": 10 * 2 ** 30,
    "1.5 gib": 1.5 * 2 ** 30,
    "512": 512,
    "20mb": 20 * 2 ** 20,
    "1kB": 1024,
    "0": 0,
    "3b": 3,
  };
  for (const [text, size] of Object.entries(sizes)) assert.equal(parseSize(text), size, text);
  for (const text of ["", "-1", "x", "1.", ".5g", "1 g b"])
    assert.throws(() => parseSize(text), /^SampanError: invalid size/);
  assert.throws(() => parseSize("10q"), { message: "invalid suffix: 'q'" });
});

test("a limit is the size, whatever the case; none and 0 are no limit", () => {
  assert.equal(layerLimit({ StorageOpt: { Size: "1k" } }), 1024);
  assert.equal(layerLimit({ StorageOpt: { size: "0" } }), undefined);
  assert.equal(layerLimit({}), undefined);
  assert.throws(() => layerLimit({ StorageOpt: { speed: "1" } }), { kind: "invalid", message: "Unknown option speed" });
});

/** No file system of its own kind has quotas: that of processes. */
const without = { directory: "/proc", usualLimit: undefined };

test("a file system without project quotas limits nothing, and says so in dockerd's words", () => {
  const host = (StorageOpt?: Record<string, string>) => normaliseHostConfig({ ...(StorageOpt && { StorageOpt }) });
  const message =
    /^--storage-opt is supported only for overlay over xfs with 'pquota' mount option: \/proc is not on one/;
  for (const size of ["10G", "0"]) {
    assert.throws(() => withLayerLimit(host({ size }), without, false), { kind: "unsupported", message });
  }
  assert.equal(withLayerLimit(host(), without, false).StorageOpt, undefined);
  assert.throws(() => checkLayerStorage({ ...without, usualLimit: 1 }), { kind: "unsupported" });
  checkLayerStorage(without);
});

test("the daemon's limit is for those that name none, and whose layer is on a disk", () => {
  const storage = { ...without, usualLimit: 4096 };
  const host = normaliseHostConfig({});
  assert.deepEqual(withLayerLimit(host, storage, false).StorageOpt, { size: "4096" });
  assert.equal(withLayerLimit(host, storage, true).StorageOpt, undefined);
});
