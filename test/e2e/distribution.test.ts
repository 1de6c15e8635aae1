import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { busybox, writeOciLayout } from "../support/images.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

suite("GET /distribution", requires("busybox", "docker-registry", "skopeo"), () => {
  let registry: Registry;

  before(async () => {
    registry = await startRegistry(join(box.directory, "registry"));
    const layout = join(box.directory, "layout");
    writeOciLayout(layout, await busybox());
    await registry.push(layout, "tools/busybox:1");
  });
  after(() => registry?.close());

  test("tells digest and platforms, and fetches no layer", async () => {
    const { status, json } = await box.api("GET", `/distribution/${registry.host}/tools/busybox:1/json`);
    assert.equal(status, 200);
    const { Descriptor, Platforms } = json as {
      Descriptor: { mediaType: string; digest: string; size: number };
      Platforms: { os: string; architecture: string }[];
    };
    assert.match(Descriptor.digest, /^sha256:[0-9a-f]{64}$/);
    assert.match(Descriptor.mediaType, /manifest/);
    assert.ok(Descriptor.size > 100);
    const architecture = process.arch === "x64" ? "amd64" : process.arch;
    assert.deepEqual(Platforms, [{ os: "linux", architecture }]);
    assert.equal(await box.ok("images", "-q", `${registry.host}/tools/busybox`), "");
    const byDigest = await box.api("GET", `/distribution/${registry.host}/tools/busybox@${Descriptor.digest}/json`);
    assert.deepEqual(byDigest.json, json);
  });

  test("an index of nonsense is refused", async () => {
    const descriptor = { mediaType: "x", digest: "sha256:1", size: 1 };
    const bodies = [
      undefined,
      "null",
      "[]",
      "{}",
      { Manifests: [{ Ref: "a" }] },
      { Manifests: [{ Ref: "a", Descriptor: descriptor }] },
    ];
    for (const body of bodies) {
      const { status, text } = await box.api("POST", `/distribution/${registry.host}/x:1/index`, body);
      assert.equal(status, 400, `${JSON.stringify(body)}: ${text}`);
    }
    const digest = `sha256:${"a".repeat(64)}`;
    const upper = { Manifests: [{ Ref: "UPPER", Descriptor: { ...descriptor, digest } }] };
    assert.equal((await box.api("POST", `/distribution/${registry.host}/x:1/index`, upper)).status, 400);
    assert.equal((await box.api("GET", `/distribution/${registry.host}/x:1/index`)).status, 404);
    assert.equal((await box.api("POST", "/distribution/json")).status, 404);
  });

  test("refusals of pushes and of serving", async () => {
    for (const query of ["compression=lz4", "platform=a/b/c/d", "platform=%7B"]) {
      const { status, text } = await box.api("POST", `/images/${registry.host}/tools/busybox/push?tag=1&${query}`);
      assert.equal(status, 400, `${query}: ${text}`);
    }
    for (const query of [
      "listen=x",
      "cert=a&key=b",
      "cert=/nonexistent&key=/nonexistent",
      "listen=127.0.0.1:0&proxy=ftp://x",
    ]) {
      const { status, text } = await box.api("POST", `/registry/serve?${query}`);
      assert.equal(status, 400, `${query}: ${text}`);
    }
  });

  test("says what is wrong", async () => {
    const missing = await box.api("GET", `/distribution/${registry.host}/tools/busybox:2/json`);
    assert.equal(missing.status, 404);
    assert.match(missing.text, /manifest unknown/);
    const malformed = await box.api("GET", "/distribution/UPPER/json");
    assert.equal(malformed.status, 400);
    assert.match(malformed.text, /invalid reference format: repository name .*must be lowercase/);
  });
});
