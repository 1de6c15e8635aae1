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

  test("says what is wrong", async () => {
    const missing = await box.api("GET", `/distribution/${registry.host}/tools/busybox:2/json`);
    assert.equal(missing.status, 404);
    assert.match(missing.text, /manifest unknown/);
    const malformed = await box.api("GET", "/distribution/UPPER/json");
    assert.equal(malformed.status, 400);
    assert.match(malformed.text, /invalid reference format: repository name .*must be lowercase/);
  });
});
