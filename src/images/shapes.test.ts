import assert from "node:assert/strict";
import { test } from "node:test";
import { SampanError } from "../errors/index.ts";
import { digestOf } from "../storage/digest.ts";
import { checkIsImage, parseArchiveManifest, parseConfig, parseDocument } from "./shapes.ts";

const bytes = (value: unknown) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
const descriptor = { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: digestOf("a"), size: 1 };
const manifest = {
  schemaVersion: 2,
  config: { ...descriptor, mediaType: "application/vnd.oci.image.config.v1+json" },
  layers: [descriptor],
};
const index = { schemaVersion: 2, manifests: [{ ...descriptor, platform: { os: "linux", architecture: "amd64" } }] };
const config = {
  architecture: "amd64",
  os: "linux",
  config: {
    Cmd: ["sh"],
    Entrypoint: null,
    Volumes: null,
    Labels: { a: "b" },
    ExposedPorts: { "80/tcp": {} },
    Unknown: 1,
  },
  rootfs: { type: "layers", diff_ids: [digestOf("a")] },
  history: [{ created_by: "RUN x", empty_layer: true }],
};

test("manifests, indexes and configs are read", () => {
  assert.equal(parseDocument(bytes(manifest), "x").kind, "manifest");
  assert.equal(parseDocument(bytes(index), "x").kind, "index");
  const parsed = parseConfig(bytes(config), "x");
  assert.deepEqual(parsed.config, { Cmd: ["sh"], Labels: { a: "b" }, ExposedPorts: { "80/tcp": {} } });
});

test("what is malformed is refused and says where", () => {
  const cases: [unknown, RegExp][] = [
    ["", /not valid JSON/],
    ["null", /manifest of x/],
    ["[]", /manifest of x/],
    ['"text"', /manifest of x/],
    [Buffer.from([0xff, 0xfe]).toString("latin1"), /not valid JSON/],
    [{ ...manifest, config: undefined }, /config/],
    [{ ...manifest, layers: [{ ...descriptor, digest: "sha256:../../etc" }] }, /not a digest at layers\.0\.digest/],
    [{ ...manifest, layers: [{ ...descriptor, size: -1 }] }, /layers\.0\.size/],
    [{ ...manifest, manifests: [] }, /an index and a manifest at once/],
    [{ ...manifest, layers: Array(1001).fill(descriptor) }, /layers/],
    ["[".repeat(200_000), /not valid JSON/],
  ];
  for (const [value, message] of cases) {
    assert.throws(() => parseDocument(bytes(value), "x"), { name: "SampanError", kind: "invalid", message });
  }
  assert.throws(() => parseDocument(bytes({ schemaVersion: 1 }), "x"), { kind: "unsupported", message: /schema 1/ });
  assert.throws(() => parseConfig(bytes({ ...config, rootfs: { type: "layers", diff_ids: ["x"] } }), "x"), {
    kind: "invalid",
  });
  assert.throws(() => parseArchiveManifest(bytes([{ Layers: [] }])), { kind: "invalid" });
});

test("what is not a container image is refused", () => {
  const check = (change: object) => () => checkIsImage({ ...manifest, schemaVersion: 2, ...change }, "x");
  check({})();
  assert.throws(check({ config: { ...descriptor, mediaType: "application/vnd.cncf.helm.config.v1+json" } }), {
    kind: "unsupported",
  });
  assert.throws(check({ layers: [{ ...descriptor, urls: ["http://x"] }] }), { kind: "unsupported" });
  assert.throws(check({ layers: [{ ...descriptor, mediaType: `${descriptor.mediaType}+encrypted` }] }), {
    kind: "unsupported",
  });
});

test("random damage is read or refused, never anything else", () => {
  const documents = [
    [bytes(manifest), (b: Buffer) => parseDocument(b, "x")],
    [bytes(index), (b: Buffer) => parseDocument(b, "x")],
    [bytes(config), (b: Buffer) => parseConfig(b, "x")],
  ] as const;
  for (const [document, parse] of documents) {
    for (let round = 0; round < 500; round++) {
      const damaged = Buffer.from(document);
      for (let i = 0; i <= round % 3; i++)
        damaged[Math.floor(Math.random() * damaged.length)] = Math.floor(Math.random() * 256);
      try {
        parse(damaged);
      } catch (error) {
        assert.ok(error instanceof SampanError, `${damaged}: ${error}`);
      }
    }
  }
});
