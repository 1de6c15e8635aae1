import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Progress } from "../../src/images/types.ts";
import { parseReference } from "../../src/registry/reference.ts";
import { ImageBox } from "../support/image-store.ts";
import {
  busybox,
  type Compression,
  configurationOf,
  descriptor,
  digestOf,
  type TestImage,
  tar,
  writeOciLayout,
} from "../support/images.ts";
import { runProgram, succeed } from "../support/process.ts";
import { freePort, type Registry, startRegistry } from "../support/registry.ts";
import { requires } from "../support/requires.ts";

const words = (lines: Progress[]) => [...new Set(lines.map(({ status }) => status))];
const nobody = { force: false, inUse: () => [] };

describe("pull from a real registry", requires("docker-registry", "skopeo", "busybox"), () => {
  let box: ImageBox;
  let registry: Registry;
  let image: TestImage;
  let stacked: TestImage;

  const push = async (name: string, what: TestImage, compression: Compression = "gzip") => {
    const layout = join(box.directory, `layout-${name.replaceAll(/\W/g, "-")}`);
    const digest = writeOciLayout(layout, what, { compression });
    await registry.push(layout, name);
    return digest;
  };

  before(async () => {
    box = new ImageBox();
    registry = await startRegistry(join(box.directory, "registry"));
    image = await busybox();
    const upper = await tar([
      { name: "etc/motd", body: "second layer\n" },
      { name: "bin/.wh.vi", body: "" },
    ]);
    const big = await tar([{ name: "big", body: randomBytes(3_000_000) }]);
    stacked = { layers: [...image.layers, upper, big], config: { Cmd: ["cat", "/etc/motd"] } };
  });

  after(async () => {
    await registry.close();
    await box.close();
  });

  test("an image comes with its config, layers and Docker's progress words", async () => {
    const digest = await push("library/busybox:1", image);
    const { image: stored, lines } = await box.pull(`${registry.host}/library/busybox:1`);
    assert.equal(stored.id, digestOf(configurationOf(image)));
    assert.deepEqual(stored.names, [`${registry.host}/library/busybox:1`]);
    assert.deepEqual(stored.repoDigests, [`${registry.host}/library/busybox@${digest}`]);
    assert.deepEqual(stored.config.config?.Cmd, ["sh"]);
    const [layer] = stored.layers;
    assert.ok(layer && layer.size > 500_000);
    assert.ok(existsSync(join(box.layers.directory(layer.chainId), "bin/busybox")));
    assert.equal(lines[0]?.status, "Pulling from library/busybox");
    const expected = [
      "Pulling fs layer",
      "Downloading",
      "Verifying Checksum",
      "Download complete",
      "Extracting",
      "Pull complete",
    ];
    assert.deepEqual(words(lines).slice(1, -2), expected);
    assert.deepEqual(words(lines).slice(-2), [
      `Digest: ${digest}`,
      `Status: Downloaded newer image for ${registry.host}/library/busybox:1`,
    ]);
  });

  test("pulling again asks for the digest only", async () => {
    const from = box.exchanges.length;
    const { lines } = await box.pull(`${registry.host}/library/busybox:1`);
    assert.match(lines.at(-1)?.status ?? "", /^Status: Image is up to date for /);
    const asked = box.exchanges.slice(from).map(({ method, url }) => `${method} ${new URL(url).pathname}`);
    assert.deepEqual(asked.slice(1), ["HEAD /v2/library/busybox/manifests/1"]);
  });

  test("layers that are here are not fetched again", async () => {
    await push("stacked:gzip", stacked);
    const { image: stored, lines } = await box.pull(`${registry.host}/stacked:gzip`);
    assert.equal(stored.layers.length, 3);
    assert.equal(lines.filter(({ status }) => status === "Already exists").length, 1);
    assert.equal(lines.filter(({ status }) => status === "Pull complete").length, 2);
    const top = stored.layers[1];
    assert.ok(top);
    assert.equal(readFileSync(join(box.layers.directory(top.chainId), "etc/motd"), "utf8"), "second layer\n");
  });

  test("zstd and uncompressed layers unpack to the same layers", async () => {
    for (const compression of ["zstd", "none"] as const) {
      await push(`stacked:${compression}`, stacked, compression);
      const fresh = new ImageBox();
      try {
        const { image: stored } = await fresh.pull(`${registry.host}/stacked:${compression}`);
        assert.equal(stored.id, digestOf(configurationOf(stacked)));
        const [, motd] = stored.layers;
        assert.ok(motd && existsSync(join(fresh.layers.directory(motd.chainId), "etc/motd")));
      } finally {
        await fresh.close();
      }
    }
  });

  test("an image is found by digest, pulled by digest, and kept apart from its tag", async () => {
    const digest = await push("pinned:1", stacked);
    const { image: stored, lines } = await box.pull(`${registry.host}/pinned@${digest}`);
    assert.ok(!stored.names.includes(`${registry.host}/pinned:1`));
    assert.ok(lines.some(({ status }) => status === `Digest: ${digest}`));
    assert.equal(box.images.resolve(`${registry.host}/pinned@${digest}`).id, stored.id);
    const removed = await box.images.remove(`${registry.host}/pinned@${digest}`, nobody);
    assert.deepEqual(removed, [{ untagged: `${registry.host}/pinned@${digest}` }]);
  });

  test("a tag that has moved takes its name along", async () => {
    await push("moving:1", image);
    const first = await box.pull(`${registry.host}/moving:1`);
    await push("moving:1", stacked);
    const second = await box.pull(`${registry.host}/moving:1`);
    assert.notEqual(first.image.id, second.image.id);
    assert.equal(box.images.resolve(`${registry.host}/moving:1`).id, second.image.id);
    assert.ok(!box.images.resolve(first.image.id).names.includes(`${registry.host}/moving:1`));
  });

  test("an index is resolved by platform", async () => {
    const layout = join(box.directory, "index");
    const store = (bytes: Buffer) => {
      mkdirSync(join(layout, "blobs/sha256"), { recursive: true });
      writeFileSync(join(layout, "blobs/sha256", digestOf(bytes).slice(7)), bytes);
      return bytes;
    };
    const manifestOf = (architecture: string) => {
      const config = { ...JSON.parse(configurationOf(image).toString()), architecture };
      const layers = image.layers.map((l) =>
        descriptor("application/vnd.oci.image.layer.v1.tar", store(Buffer.from(l))),
      );
      const configBytes = store(Buffer.from(JSON.stringify(config)));
      const mediaType = "application/vnd.oci.image.manifest.v1+json";
      const manifest = {
        schemaVersion: 2,
        mediaType,
        config: descriptor("application/vnd.oci.image.config.v1+json", configBytes),
        layers,
      };
      return {
        ...descriptor(mediaType, store(Buffer.from(JSON.stringify(manifest)))),
        platform: { os: "linux", architecture },
      };
    };
    const mediaType = "application/vnd.oci.image.index.v1+json";
    const index = store(
      Buffer.from(
        JSON.stringify({ schemaVersion: 2, mediaType, manifests: ["s390x", "amd64", "arm64"].map(manifestOf) }),
      ),
    );
    writeFileSync(join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
    writeFileSync(
      join(layout, "index.json"),
      JSON.stringify({ schemaVersion: 2, manifests: [descriptor(mediaType, index)] }),
    );
    await registry.push(layout, "multi:1");

    const name = `${registry.host}/multi:1`;
    const arm = await box.pull(name, { platform: { os: "linux", architecture: "arm64" } });
    assert.equal(arm.image.config.architecture, "arm64");
    const own = await box.pull(name);
    assert.equal(own.image.config.architecture, process.arch === "x64" ? "amd64" : process.arch);
    const [digest] = arm.image.repoDigests;
    assert.match(digest ?? "", /\/multi@sha256:/);
    assert.ok(digest && own.image.repoDigests.includes(digest));
    await assert.rejects(box.pull(name, { platform: { os: "linux", architecture: "riscv64" } }), {
      kind: "not-found",
      message: /no matching manifest for linux\/riscv64 in the manifest list entries/,
    });
    assert.throws(() => box.images.resolve(name, { os: "linux", architecture: "s390x" }), { kind: "not-found" });
  });

  test("a single manifest for another platform is refused when the platform was named", async () => {
    const wanted = { platform: { os: "linux", architecture: "s390x" } };
    await assert.rejects(box.pull(`${registry.host}/library/busybox:1`, wanted), {
      kind: "not-found",
      message: /does not match/,
    });
  });

  test("concurrent pulls share the work", async () => {
    const layer = await tar([{ name: "shared", body: randomBytes(2_000_000) }]);
    await push("shared:1", { layers: [layer], config: { Cmd: ["a"] } });
    await push("shared:2", { layers: [layer], config: { Cmd: ["b"] } });
    const from = box.exchanges.length;
    const names = ["shared:1", "shared:2", "shared:1"];
    const pulled = await Promise.all(names.map((name) => box.pull(`${registry.host}/${name}`)));
    assert.equal(new Set(pulled.map(({ image: { id } }) => id)).size, 2);
    const blobs = box.exchanges.slice(from).filter(({ url }) => /blobs/.test(url));
    const configs = pulled.map(({ image: { id } }) => id);
    assert.equal(blobs.filter(({ url }) => !configs.some((id) => url.endsWith(id))).length, 1);
    for (const { lines } of pulled)
      assert.ok(lines.some(({ status }) => /^(Pull complete|Already exists)$/.test(status)));
  });

  test("one of two concurrent pulls can be cancelled, the other goes on", async () => {
    const layer = await tar([{ name: "cancelled", body: randomBytes(20_000_000) }]);
    await push("cancel:1", { layers: [layer], config: {} });
    const abort = new AbortController();
    const first = box.pull(`${registry.host}/cancel:1`, {
      signal: abort.signal,
      progress: ({ status }) => status === "Downloading" && abort.abort(),
    });
    const second = box.pull(`${registry.host}/cancel:1`);
    await assert.rejects(first, { kind: "cancelled" });
    assert.equal((await second).image.layers.length, 1);
  });

  test("what is not there is not found, with Docker's words; no registry is named", async () => {
    await assert.rejects(box.pull(`${registry.host}/library/busybox:none`), {
      kind: "not-found",
      message: `manifest for ${registry.host}/library/busybox:none not found: manifest unknown: manifest unknown`,
    });
    await assert.rejects(box.pull(`${registry.host}/nothing`), { kind: "not-found" });
    const port = await freePort();
    await assert.rejects(box.pull(`127.0.0.1:${port}/x`), {
      kind: "unavailable",
      message: new RegExp(`Cannot reach registry 127\\.0\\.0\\.1:${port}: ECONNREFUSED`),
    });
    await assert.rejects(box.pull("nowhere.invalid/x"), {
      kind: "unavailable",
      message: /nowhere\.invalid: (ENOTFOUND|EAI_AGAIN)/,
    });
    assert.throws(() => box.images.resolve("nothing"), { kind: "not-found", message: "No such image: nothing:latest" });
  });

  test("sampan/host is always there and never pulled or removed", async () => {
    const from = box.exchanges.length;
    const { image: host } = await box.pull("sampan/host");
    assert.equal(host.virtual, "host");
    assert.equal(box.exchanges.length, from);
    assert.equal(box.images.resolve("sampan/host").id, host.id);
    assert.equal(box.images.list().at(-1)?.virtual, "host");
    await assert.rejects(box.images.remove("sampan/host", { ...nobody, force: true }), { kind: "conflict" });
    await assert.rejects(box.images.remove(host.id, { ...nobody, force: true }), { kind: "conflict" });
    assert.throws(() => box.images.tag(host.id, parseReference("other")), { kind: "unsupported" });
    assert.throws(
      () => box.images.tag(box.images.resolve(`${registry.host}/stacked:gzip`).id, parseReference("sampan/host:2")),
      { kind: "conflict" },
    );
  });

  test("other tools can read the content store", async () => {
    const name = `${registry.host}/stacked:gzip`;
    const raw = await succeed("skopeo", ["inspect", "--raw", `oci:${box.layout.content}:${name}`]);
    assert.equal(JSON.parse(raw).layers.length, 3);
    const copy = [
      "copy",
      "--quiet",
      "--insecure-policy",
      `oci:${box.layout.content}:${name}`,
      `dir:${box.directory}/copy`,
    ];
    const { status, stderr } = await runProgram("skopeo", copy);
    assert.equal(status, 0, stderr);
  });

  test("everything is there after a restart", async () => {
    const before = box.images.list();
    await box.restart();
    assert.deepEqual(box.images.list(), before);
  });

  test("a forced removal leaves the layers to the containers that stand on them", async () => {
    const name = `${registry.host}/used:1`;
    await push("used:1", { layers: [...image.layers, await tar([{ name: "used", body: "used" }])], config: {} });
    const { id, layers } = (await box.pull(name)).image;
    const top = layers.at(-1);
    assert.ok(top);
    const user = { id: "c".repeat(64), running: false };
    await assert.rejects(box.images.remove(name, { force: false, inUse: () => [user] }), { kind: "conflict" });
    await box.images.remove(id, { force: true, inUse: () => [user] });
    assert.throws(() => box.images.resolve(id), { kind: "not-found" });
    assert.ok(box.layers.has(top.chainId));
    await box.images.collect(() => [user]);
    assert.ok(box.layers.has(top.chainId));
    await box.images.collect(() => []);
    assert.ok(!box.layers.has(top.chainId));
  });

  test("with the last image everything is gone", async () => {
    for (const { id, virtual } of box.images.list()) {
      if (virtual === undefined) await box.images.remove(id, { ...nobody, force: true });
    }
    assert.deepEqual(box.files(), []);
    assert.deepEqual(JSON.parse(readFileSync(join(box.layout.content, "index.json"), "utf8")).manifests, []);
  });
});
