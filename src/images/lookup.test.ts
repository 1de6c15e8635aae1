import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf, hexOf, parseDigest } from "../storage/digest.ts";
import { hostImage } from "./host.ts";
import { findImage, isPart } from "./lookup.ts";
import type { StoredImage } from "./types.ts";

const manifest = digestOf("manifest");
const named = (id: string, names: string[], repoDigests: string[] = []): StoredImage => ({
  ...hostImage(),
  id: parseDigest(`sha256:${id.padEnd(64, "0")}`),
  names,
  repoDigests,
});
const a = named("aa11", ["debian:latest", "quay.io/x/y:1"], [`debian@${manifest}`]);
const b = named("aa22", ["beef:latest"]);
const c = named("beef", []);
const images = [a, b, c, hostImage()];

test("images are found by name, digest and id", () => {
  const cases: [string, StoredImage][] = [
    ["debian", a],
    ["docker.io/library/debian:latest", a],
    ["quay.io/x/y:1", a],
    [`debian@${manifest}`, a],
    [`debian:whatever@${manifest}`, a],
    [hexOf(b.id), b],
    [b.id, b],
    ["aa2", b],
    ["sha256:aa2", b],
    ["sha256:beef", c],
  ];
  for (const [written, image] of cases) assert.equal(findImage(images, written).image, image, written);
  assert.equal(findImage(images, "sampan/host").image.virtual, "host");
});

test("a name wins over an id that begins so", () => {
  assert.equal(findImage(images, "beef").image, b);
});

test("what is not here is not found, with Docker's text", () => {
  const missing = (written: string, text: string) =>
    assert.throws(() => findImage(images, written), { kind: "not-found", message: `No such image: ${text}` });
  missing("nothing", "nothing:latest");
  missing("x/y:2", "x/y:2");
  missing("cafe", "cafe:latest");
  missing("sha256:cafe", "sha256:cafe");
  missing("c".repeat(64), "c".repeat(64));
  assert.throws(() => findImage(images, "aa"), { kind: "invalid", message: /2 image ids begin with it/ });
  assert.throws(() => findImage(images, "A B"), { kind: "invalid" });
});

test("another platform is not found", () => {
  const wanted = { os: "linux", architecture: "s390x" };
  assert.throws(() => findImage(images, "debian", wanted), {
    kind: "not-found",
    message: /does not match the specified platform/,
  });
});

test("an index made here: by its digest, and its images by name and platform", () => {
  const index = digestOf("index");
  const main = named("dd11", ["app:1", "app:alone"]);
  const indexes = [{ digest: index, main: main.id }];
  const arm64 = { os: "linux", architecture: "arm64" };
  const other = { ...named("dd22", []), config: { ...main.config, ...arm64 }, indexes };
  const own = { ...main, config: { ...main.config, architecture: "amd64" }, indexes, targets: { "app:1": index } };
  const all = [other, own];
  assert.deepEqual(all.map(isPart), [true, false]);
  for (const written of ["app:1", index, hexOf(index)]) {
    assert.deepEqual(findImage(all, written).image, own, written);
    assert.deepEqual(findImage(all, written).target, index, written);
    assert.deepEqual(findImage(all, written, arm64).image, other, written);
  }
  // A name that does not stand for the index does not lead to its other images.
  assert.throws(() => findImage(all, "app:alone", arm64), { kind: "not-found" });
});

test("images of one pulled index are found by the name of one of them", () => {
  const arm64 = { os: "linux", architecture: "arm64" };
  const digest = `debian@${manifest}`;
  const other = { ...named("ee11", [], [digest]), config: { ...a.config, ...arm64 } };
  assert.equal(findImage([...images, other], "debian", arm64).image, other);
});
