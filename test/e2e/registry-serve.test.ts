import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { busybox, configurationOf, digestOf, dockerArchive, tar, writeIndexLayout } from "../support/images.ts";
import { eventually, runProgram, succeed } from "../support/process.ts";
import { startRegistry } from "../support/registry.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { Sandbox, sandbox } from "../support/sandbox.ts";
import { selfSigned } from "../support/self-signed.ts";
import { type Serving, serveFrom } from "../support/serving.ts";

const box = sandbox({ start: true });
const manifestType = "application/vnd.oci.image.manifest.v1+json";
const indexType = "application/vnd.oci.image.index.v1+json";

suite("sampan registry serve", {
  ...requires("busybox", "skopeo", "docker-registry", "umoci"),
  ...requiresRoot(),
}, () => {
  let serving: Serving;
  let id: string;

  before(async () => {
    const image = { ...(await busybox()) };
    const big = await tar([{ name: "big", body: randomBytes(3_000_000) }]);
    const whole = { ...image, layers: [...image.layers, big] };
    id = digestOf(configurationOf(whole));
    const names = ["tools/busybox:1", "tools/busybox:2", "busybox:latest", "registry.example:5000/team/app:v1"];
    const { status, stderr } = await box.run(["load"], { input: await dockerArchive(whole, names) });
    assert.equal(status, 0, stderr);
    serving = await serveFrom(box);
  });
  after(() => serving?.close());

  const get = (path: string, headers: Record<string, string> = {}, method = "GET") =>
    fetch(`http://${serving.host}${path}`, { method, headers });
  const json = async (path: string) => (await (await get(path)).json()) as Record<string, unknown>;

  test("the base, the catalog and the tags, by pages", async () => {
    const base = await get("/v2/");
    assert.deepEqual([base.status, base.headers.get("docker-distribution-api-version")], [200, "registry/2.0"]);
    assert.deepEqual(await json("/v2/_catalog"), { repositories: ["busybox", "team/app", "tools/busybox"] });
    const first = await get("/v2/_catalog?n=2");
    assert.deepEqual(await first.json(), { repositories: ["busybox", "team/app"] });
    assert.equal(first.headers.get("link"), '</v2/_catalog?last=team%2Fapp&n=2>; rel="next"');
    assert.deepEqual(await json("/v2/_catalog?last=team%2Fapp&n=2"), { repositories: ["tools/busybox"] });
    assert.deepEqual(await json("/v2/tools/busybox/tags/list"), { name: "tools/busybox", tags: ["1", "2"] });
    assert.deepEqual(await json("/v2/tools/busybox/tags/list?n=1&last=1"), { name: "tools/busybox", tags: ["2"] });
    assert.equal((await get("/v2/nothing/tags/list")).status, 404);
    assert.equal((await get("/v2/_catalog?n=x")).status, 400);
  });

  test("manifests by tag and digest, for those who accept them", async () => {
    const byTag = await get("/v2/tools/busybox/manifests/1", { accept: `${indexType}, ${manifestType}` });
    assert.equal(byTag.headers.get("content-type"), manifestType);
    const bytes = Buffer.from(await byTag.arrayBuffer());
    const digest = digestOf(bytes);
    assert.equal(byTag.headers.get("docker-content-digest"), digest);
    for (const repository of ["library/busybox", "busybox", "docker.io/library/busybox"]) {
      const same = await get(`/v2/${repository}/manifests/latest`);
      assert.equal(same.headers.get("docker-content-digest"), digest, repository);
    }
    assert.equal((await get("/v2/team/app/manifests/v1")).status, 200);
    assert.equal((await get("/v2/team/app/manifests/v1?ns=registry.example:5000")).status, 200);
    assert.equal((await get("/v2/team/app/manifests/v1?ns=docker.io")).status, 404);
    const byDigest = await get(`/v2/tools/busybox/manifests/${digest}`);
    assert.deepEqual(Buffer.from(await byDigest.arrayBuffer()), bytes);
    const head = await get("/v2/tools/busybox/manifests/1", {}, "HEAD");
    assert.deepEqual([head.status, head.headers.get("content-length")], [200, String(bytes.length)]);
    const none = await get("/v2/tools/busybox/manifests/1", {
      accept: "application/vnd.docker.distribution.manifest.v2+json",
    });
    assert.equal(none.status, 404);
    assert.match(await none.text(), /MANIFEST_UNKNOWN.*accepts none/);
    const cached = await get("/v2/tools/busybox/manifests/1", { "if-none-match": `"${digest}"` });
    assert.equal(cached.status, 304);
  });

  test("blobs, whole and in parts", async () => {
    const manifest = (await json("/v2/tools/busybox/manifests/1")) as { layers: { digest: string; size: number }[] };
    const { digest = "", size = 0 } = manifest.layers.at(-1) ?? {};
    const path = `/v2/tools/busybox/blobs/${digest}`;
    const head = await get(path, {}, "HEAD");
    assert.deepEqual(
      [head.status, head.headers.get("content-length"), head.headers.get("accept-ranges")],
      [200, String(size), "bytes"],
    );
    const whole = Buffer.from(await (await get(path)).arrayBuffer());
    assert.equal(digestOf(whole), digest);
    const part = await get(path, { range: "bytes=1000-1999" });
    assert.deepEqual([part.status, part.headers.get("content-range")], [206, `bytes 1000-1999/${size}`]);
    assert.deepEqual(Buffer.from(await part.arrayBuffer()), whole.subarray(1000, 2000));
    const tail = await get(path, { range: `bytes=${size - 5}-` });
    assert.deepEqual(Buffer.from(await tail.arrayBuffer()), whole.subarray(-5));
    assert.equal((await get(path, { range: `bytes=${size}-` })).status, 416);
    assert.equal((await get(`/v2/tools/busybox/blobs/sha256:${"0".repeat(64)}`)).status, 404);
    assert.equal((await get("/v2/tools/busybox/blobs/../../../etc/passwd")).status, 404);
  });

  test("nothing can be changed", async () => {
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      const answer = await get("/v2/tools/busybox/blobs/uploads/", {}, method);
      assert.deepEqual(
        [answer.status, ((await answer.json()) as { errors: { code: string }[] }).errors[0]?.code],
        [405, "UNSUPPORTED"],
      );
    }
  });

  test("another Sampan pulls from it, also as a mirror of docker.io", async () => {
    const other = new Sandbox();
    try {
      await other.start("--registry-mirror", serving.host);
      await other.ok("pull", `${serving.host}/tools/busybox:1`);
      assert.equal(await other.ok("images", "-q", "--no-trunc", `${serving.host}/tools/busybox`), id);
      await other.ok("pull", "busybox");
      assert.equal(await other.ok("images", "-q", "--no-trunc", "busybox"), id);
    } finally {
      await other.close();
    }
  });

  test("skopeo inspects and copies, umoci unpacks what it copied", async () => {
    const source = `docker://${serving.host}/tools/busybox:1`;
    const seen = JSON.parse(await succeed("skopeo", ["inspect", "--tls-verify=false", source])) as {
      RepoTags: string[];
    };
    assert.deepEqual(seen.RepoTags, ["1", "2"]);
    const target = join(box.directory, "copied");
    const copy = ["copy", "--quiet", "--insecure-policy", "--src-tls-verify=false", source, `oci:${target}:x`];
    await succeed("skopeo", copy);
    await succeed("umoci", ["unpack", "--rootless", "--image", `${target}:x`, join(box.directory, "unpacked")]);
  });

  test("umoci and skopeo read the content store itself", async () => {
    const layout = join(box.layout.root, "content");
    const tags = (await succeed("umoci", ["ls", "--layout", layout])).trim().split("\n");
    assert.ok(tags.includes("docker.io/tools/busybox:1"), tags.join());
    const copy = ["copy", "--quiet", "--insecure-policy", `oci:${layout}:docker.io/tools/busybox:1`];
    await succeed("skopeo", [...copy, `oci:${join(box.directory, "store")}:x`]);
  });

  test("an index is served when all of it is here", async () => {
    const registry = await startRegistry(join(box.directory, "registry"));
    try {
      const layer = await tar([{ name: "file", body: "content" }]);
      const images = ["amd64", "arm64"].map((architecture) => ({
        architecture,
        image: { layers: [layer], config: {} },
      }));
      const layout = join(box.directory, "multi");
      mkdirSync(layout);
      const index = writeIndexLayout(layout, images);
      await registry.push(layout, "multi:1");
      const name = `${registry.host}/multi:1`;
      const answer = async (accept: string) => await get("/v2/multi/manifests/1", { accept });
      await box.ok("pull", "-q", "--platform", "linux/arm64", name);
      const part = await answer(`${indexType}, ${manifestType}`);
      assert.equal(part.headers.get("content-type"), manifestType);
      await box.ok("pull", "-q", "--platform", "linux/amd64", name);
      const whole = await answer(`${indexType}, ${manifestType}`);
      assert.deepEqual(
        [whole.headers.get("content-type"), whole.headers.get("docker-content-digest")],
        [indexType, index],
      );
      assert.equal((await answer(manifestType)).headers.get("content-type"), manifestType);
    } finally {
      await registry.close();
    }
  });

  test("by TLS", requires("openssl"), async () => {
    const { key, cert } = await selfSigned(box.directory, "IP:127.0.0.1");
    const secure = await serveFrom(box, "--tls-cert", cert.path, "--tls-key", key.path);
    try {
      assert.match(secure.lines[0] ?? "", /^Serving images at https:/);
      const said = await succeed("curl", ["-sS", "--cacert", cert.path, `https://${secure.host}/v2/_catalog`]);
      assert.match(said, /tools\/busybox/);
    } finally {
      await secure.close();
    }
    await box.fails(
      { status: 1, stderr: /wanted the absolute paths of a certificate and its key/ },
      "registry",
      "serve",
      "--tls-cert",
      cert.path,
    );
  });

  test("it shows requests, refuses a taken address, and ends with Ctrl-C", async () => {
    assert.ok(
      serving.lines.some((line) => / GET \/v2\/_catalog 200 \d+ms$/.test(line)),
      serving.lines.join("\n"),
    );
    const taken = { status: 1, stderr: /Cannot serve images at .*EADDRINUSE/ };
    await box.fails(taken, "registry", "serve", "--listen", serving.host);
    await box.fails({ status: 1, stderr: /wanted ADDRESS:PORT/ }, "registry", "serve", "--listen", "example.org:1");
    const short = await serveFrom(box);
    await short.close();
    const refused = async () => (await runProgram("curl", ["-sS", `http://${short.host}/v2/`])).status === 7;
    await eventually("the port is free again", refused);
  });
});
