import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { SampanError } from "../../src/errors/index.ts";
import { type Front, plain, startFront } from "../support/front.ts";
import { ImageBox } from "../support/image-store.ts";
import { configurationOf, descriptor, digestOf, dockerArchive, type TestImage, tar } from "../support/images.ts";
import { requiresRoot } from "../support/requires.ts";

const rounds = 20;

/** Numbers that are the same in every run of one seed (mulberry32), so that a failure can be repeated. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const seed = Number(process.env.SAMPAN_TEST_SEED ?? Date.now() % 1_000_000);

describe(`images with random damage (SAMPAN_TEST_SEED=${seed})`, requiresRoot(), () => {
  const random = randomNumbers(seed);
  let box: ImageBox;
  let front: Front;
  let image: TestImage;
  let blobs = new Map<string, Buffer>();
  let manifest = Buffer.alloc(0);

  before(async () => {
    box = new ImageBox();
    const layer = await tar([
      { name: "etc", type: "directory", mode: 0o755 },
      { name: "etc/file", body: "text\n".repeat(300), uid: 1000, mtime: new Date(0) },
      { name: "etc/link", type: "symlink", linkname: "file" },
      { name: "etc/hard", type: "link", linkname: "etc/file" },
      { name: "dev", type: "character-device", devmajor: 1, devminor: 3 },
      { name: "fifo", type: "fifo" },
      { name: `long/${"x".repeat(180)}`, body: "long", pax: { "SCHILY.xattr.user.a": "b" } },
      { name: "etc/.wh.gone", body: "" },
    ]);
    image = { layers: [layer], config: { Cmd: ["sh"], Labels: { a: "b" } } };
    front = await startFront("", async ({ path }) => {
      if (path.includes("/manifests/")) return { status: 200, headers: {}, body: manifest };
      const bytes = blobs.get(path.split("/").at(-1) ?? "");
      return bytes === undefined ? plain(404) : { status: 200, headers: {}, body: bytes };
    });
  });

  after(async () => {
    await front.close();
    await box.close();
  });

  const damaged = (bytes: Uint8Array): Buffer => {
    const copy = Buffer.from(bytes);
    for (let i = 0; i <= random(3); i++) copy[random(copy.length)] = random(256);
    return copy;
  };
  const put = (mediaType: string, bytes: Buffer) => {
    blobs.set(digestOf(bytes), bytes);
    return descriptor(mediaType, bytes);
  };

  /** Serves an image whose digests are right for its damaged parts, so that the damage is met behind the verification. */
  const serve = (o: {
    layer?: Uint8Array;
    blob?: Buffer;
    config?: (good: Buffer) => Buffer;
    manifest?: (good: Buffer) => Buffer;
  }) => {
    blobs = new Map();
    const layer = Buffer.from(o.layer ?? image.layers[0] ?? "");
    const config = configurationOf({ ...image, layers: [layer] });
    const document = {
      schemaVersion: 2,
      config: put("application/vnd.oci.image.config.v1+json", o.config?.(config) ?? config),
      layers: [put("application/vnd.oci.image.layer.v1.tar+gzip", o.blob ?? gzipSync(layer))],
    };
    const good = Buffer.from(JSON.stringify(document));
    manifest = Buffer.from(o.manifest?.(good) ?? good);
  };

  /** Success or a SampanError, and nothing left in either case. */
  const survives = async (work: () => Promise<unknown>, what: string) => {
    try {
      await work();
    } catch (error) {
      assert.ok(error instanceof SampanError, `${what}: ${error instanceof Error ? error.stack : error}`);
      assert.notEqual(error.kind, "internal", `${what}: ${error.message}`);
    }
    for (const { id, virtual } of box.images.list()) {
      if (virtual === undefined) await box.images.remove(id, { force: true, inUse: () => [] });
    }
    assert.deepEqual(box.files(), [], what);
  };
  const pull = () => box.pull(`${front.host}/damaged:1`);
  const layer = () => image.layers[0] ?? Buffer.alloc(0);

  test("the undamaged image is fine", async () => {
    serve({});
    await pull();
    await survives(pull, "undamaged");
  });

  const kinds: [string, () => void][] = [
    ["manifest", () => serve({ manifest: damaged })],
    ["config", () => serve({ config: damaged })],
    ["layer's tar", () => serve({ layer: damaged(layer()) })],
    ["layer's gzip data", () => serve({ blob: damaged(gzipSync(layer())) })],
    ["layer's zstd data", () => serve({ blob: damaged(zstdCompressSync(layer())) })],
  ];
  for (const [part, damage] of kinds) {
    test(`${rounds} times damage in the ${part}`, async () => {
      for (let round = 0; round < rounds; round++) {
        damage();
        await survives(pull, `round ${round}`);
      }
    });
  }

  test(`${rounds} times damage in an archive that is loaded`, async () => {
    const archive = await dockerArchive(image, ["loaded:1"]);
    for (let round = 0; round < rounds; round++) {
      const bytes = round % 2 === 0 ? damaged(archive) : damaged(gzipSync(archive));
      const source = (async function* () {
        yield bytes;
      })();
      await survives(() => box.images.load(source, { progress: () => undefined }), `round ${round}`);
    }
  });
});
