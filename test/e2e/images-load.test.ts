import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { ImageBox } from "../support/image-store.ts";
import {
  busybox,
  configurationOf,
  digestOf,
  dockerArchive,
  type Entry,
  type TestImage,
  tar,
  writeOciLayout,
} from "../support/images.ts";
import { succeed } from "../support/process.ts";
import { requires } from "../support/requires.ts";

describe("load image archives", requires("busybox", "skopeo"), () => {
  let box: ImageBox;
  let image: TestImage;
  let id: string;

  before(async () => {
    box = new ImageBox();
    const base = await busybox();
    image = { layers: [...base.layers, await tar([{ name: "etc/motd", body: "loaded\n" }])], config: { Cmd: ["sh"] } };
    id = digestOf(configurationOf(image));
  });

  after(() => box.close());

  const load = async (bytes: Uint8Array, size = 100_000) => {
    const source = async function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    };
    return await box.images.load(source(), { progress: () => undefined });
  };
  const clean = async () => {
    for (const { id, virtual } of box.images.list()) {
      if (virtual === undefined) await box.images.remove(id, { force: true, inUse: () => [] });
    }
    assert.deepEqual(box.files(), []);
  };
  const motd = () => {
    const top = box.images.resolve(id).layers.at(-1);
    assert.ok(top);
    return readFileSync(join(box.layers.directory(top.chainId), "etc/motd"), "utf8");
  };

  test("a docker-archive, plain and compressed, with all its names", async () => {
    const archive = await dockerArchive(image, ["loaded:1", "quay.io/a/loaded:2"]);
    for (const bytes of [archive, gzipSync(archive), zstdCompressSync(archive)]) {
      const [loaded, ...others] = await load(bytes);
      assert.equal(others.length, 0);
      assert.deepEqual(loaded?.names, ["loaded:1", "quay.io/a/loaded:2"]);
      assert.equal(loaded?.image.id, id);
      assert.equal(box.images.resolve("loaded:1").id, id);
      assert.equal(motd(), "loaded\n");
      await clean();
    }
  });

  test("an archive in pieces of any size", async () => {
    await load(await dockerArchive({ layers: image.layers.slice(1), config: {} }, ["pieces:1"]), 7);
    await clean();
  });

  test("layers that are links, and layers that are compressed", async () => {
    const [base = Buffer.alloc(0), upper = Buffer.alloc(0)] = image.layers;
    const entries: Entry[] = [
      { name: "aaa/layer.tar", body: gzipSync(base) },
      { name: "bbb/layer.tar", type: "symlink", linkname: "../ccc/layer.tar" },
      { name: "ccc/layer.tar", body: upper },
      { name: "ccc/VERSION", body: "1.0" },
      { name: "ccc/json", body: "{}" },
      { name: "config.json", body: configurationOf(image) },
      {
        name: "./manifest.json",
        body: JSON.stringify([{ Config: "config.json", RepoTags: null, Layers: ["aaa/layer.tar", "bbb/layer.tar"] }]),
      },
    ];
    const [loaded] = await load(await tar(entries));
    assert.deepEqual(loaded?.names, []);
    assert.equal(loaded?.image.id, id);
    assert.equal(motd(), "loaded\n");
    await clean();
  });

  test("several images that share a layer", async () => {
    const other: TestImage = { layers: image.layers.slice(0, 1), config: { Cmd: ["other"] } };
    const manifests = [image, other].map((one, i) => ({
      Config: `${i}.json`,
      RepoTags: [`many:${i}`],
      Layers: one.layers.map((_, n) => `${n}/layer.tar`),
    }));
    const archive = await tar([
      ...image.layers.map((body, i): Entry => ({ name: `${i}/layer.tar`, body })),
      { name: "0.json", body: configurationOf(image) },
      { name: "1.json", body: configurationOf(other) },
      { name: "manifest.json", body: JSON.stringify(manifests) },
    ]);
    assert.deepEqual(
      (await load(archive)).flatMap(({ names }) => names),
      ["many:0", "many:1"],
    );
    await box.images.remove("many:0", { force: false, inUse: () => [] });
    const [shared] = box.images.resolve("many:1").layers;
    assert.ok(shared && box.layers.has(shared.chainId));
    await clean();
  });

  test("an OCI layout, with and without a name", async () => {
    const layout = join(box.directory, "layout");
    writeOciLayout(layout, image, { compression: "zstd" });
    for (const [target, names] of [
      ["oci-archive:named.tar:docker.io/library/named:3", ["named:3"]],
      ["oci-archive:unnamed.tar", []],
    ] as const) {
      await succeed("skopeo", ["copy", "-q", "--insecure-policy", `oci:${layout}`, target], { cwd: box.directory });
      const [loaded] = await load(readFileSync(join(box.directory, target.split(":")[1] ?? "")));
      assert.deepEqual(loaded?.names, names);
      assert.equal(motd(), "loaded\n");
      await clean();
    }
  });

  test("both layouts in one archive, as docker 25 and later save", async () => {
    const blob = (bytes: Uint8Array): Entry => ({ name: `blobs/sha256/${digestOf(bytes).slice(7)}`, body: bytes });
    const paths = image.layers.map((layer) => blob(layer).name);
    const archive = await tar([
      ...image.layers.map(blob),
      blob(configurationOf(image)),
      { name: "index.json", body: JSON.stringify({ schemaVersion: 2, manifests: [] }) },
      {
        name: "manifest.json",
        body: JSON.stringify([{ Config: blob(configurationOf(image)).name, RepoTags: ["both:1"], Layers: paths }]),
      },
      { name: "oci-layout", body: '{"imageLayoutVersion":"1.0.0"}' },
    ]);
    assert.deepEqual((await load(archive))[0]?.names, ["both:1"]);
    await clean();
  });

  test("loading what is here only gives the name", async () => {
    await load(await dockerArchive(image, ["first:1"]));
    const files = box.files();
    await load(await dockerArchive(image, ["second:1"]));
    assert.deepEqual(box.images.resolve(id).names, ["first:1", "second:1"]);
    assert.deepEqual(box.files(), files);
    await clean();
  });

  const hex = createHash("sha256").update("x").digest("hex");
  const bad: [string, () => Promise<Uint8Array>, object][] = [
    ["nothing", async () => Buffer.alloc(0), { kind: "invalid", message: /neither manifest\.json .* nor index\.json/ }],
    ["a text", async () => Buffer.from("hello\n".repeat(500)), { kind: "invalid" }],
    ["a cut off archive", async () => (await dockerArchive(image, ["x:1"])).subarray(0, 500_000), { kind: "invalid" }],
    [
      "a damaged xz archive",
      async () => Buffer.from("fd377a585a000004e6d6b446", "hex"),
      { kind: "invalid", message: /its xz data are damaged/ },
    ],
    [
      "a tar without an image",
      async () =>
        tar([
          { name: "../../../etc/passwd", body: "evil" },
          { name: "/etc/shadow", body: "evil" },
        ]),
      { kind: "invalid", message: /neither manifest\.json/ },
    ],
    [
      "a manifest that names what is missing",
      async () => tar([{ name: "manifest.json", body: '[{"Config":"../../etc/passwd","Layers":[]}]' }]),
      { kind: "invalid", message: /names "\.\.\/\.\.\/etc\/passwd", which is missing/ },
    ],
    [
      "links in a circle",
      async () =>
        tar([
          { name: "a", type: "symlink", linkname: "b" },
          { name: "b", type: "symlink", linkname: "a" },
          { name: "manifest.json", body: '[{"Config":"a","Layers":[]}]' },
        ]),
      { kind: "invalid", message: /names "a", which is missing/ },
    ],
    [
      "a blob under a wrong name",
      async () =>
        tar([
          { name: `blobs/sha256/${hex}`, body: "y" },
          {
            name: "index.json",
            body: JSON.stringify({ schemaVersion: 2, manifests: [{ digest: `sha256:${hex}`, size: 1 }] }),
          },
        ]),
      { kind: "invalid", message: /has in truth the digest/ },
    ],
    ["the name of the host image", () => dockerArchive(image, ["sampan/host:latest"]), { kind: "invalid" }],
    ["a malformed name", () => dockerArchive(image, ["UPPER CASE"]), { kind: "invalid" }],
  ];
  for (const [what, bytes, error] of bad) {
    test(`${what} is refused and leaves nothing`, async () => {
      await assert.rejects(load(await bytes()), error);
      assert.deepEqual(box.files(), []);
    });
  }
});
