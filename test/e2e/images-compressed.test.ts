import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { after, before, describe, test } from "node:test";
import { decompressed } from "../../src/images/decompress.ts";
import { ImageBox } from "../support/image-store.ts";
import { configurationOf, digestOf, dockerArchive, type TestImage, tar } from "../support/images.ts";
import { runProgram } from "../support/process.ts";
import { requires, requiresRoot } from "../support/requires.ts";

describe("archives that only other programs can read", { ...requires("xz", "bzip2"), ...requiresRoot() }, () => {
  let box: ImageBox;
  let image: TestImage;

  before(async () => {
    box = new ImageBox();
    image = { layers: [await tar([{ name: "file", body: "text ".repeat(100_000) }])], config: {} };
  });
  after(() => box.close());

  for (const program of ["xz", "bzip2"]) {
    test(`${program}: load, damage, and a reader who leaves early`, async () => {
      const archive = await dockerArchive(image, [`compressed/${program}:1`]);
      const { bytes } = await runProgram(program, ["-c"], { input: archive });
      assert.ok(bytes.length < archive.length / 2);
      const progress = () => undefined;
      const [loaded] = await box.images.load(Readable.from([bytes]), { progress });
      assert.equal(loaded?.image.id, digestOf(configurationOf(image)));
      const half = box.images.load(Readable.from([bytes.subarray(0, bytes.length / 2)]), { progress });
      const message = new RegExp(`its ${program} data are damaged: `);
      await assert.rejects(half, { kind: "invalid", message });
      for await (const _ of decompressed(Readable.from([bytes]), "it")) break;
    });
  }
});
