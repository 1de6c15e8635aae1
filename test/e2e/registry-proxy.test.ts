import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { startFront } from "../support/front.ts";
import { busybox, tar, writeOciLayout } from "../support/images.ts";
import { succeed } from "../support/process.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { Sandbox, sandbox } from "../support/sandbox.ts";
import { type Serving, serveFrom } from "../support/serving.ts";

const box = sandbox({ start: true });

suite("sampan registry serve --proxy", {
  ...requires("busybox", "skopeo", "docker-registry"),
  ...requiresRoot(),
}, () => {
  let registry: Registry;
  let serving: Serving;
  let host: string;
  const seen: string[] = [];
  let closeFront: () => Promise<void>;
  let dead = false;

  before(async () => {
    registry = await startRegistry(join(box.directory, "registry"));
    const layout = join(box.directory, "layout");
    const image = await busybox();
    const big = await tar([{ name: "big", body: randomBytes(5_000_000) }]);
    writeOciLayout(layout, { ...image, layers: [...image.layers, big] });
    for (const name of ["library/debian:12", "library/debian:13", "team/app:1"]) await registry.push(layout, name);
    const front = await startFront(registry.host, async (request) => {
      if (dead) return { status: 503, headers: {}, body: Buffer.alloc(0), drop: true };
      seen.push(`${request.method} ${request.path}`);
      return request.forward();
    });
    closeFront = front.close;
    host = front.host;
    serving = await serveFrom(box, "--proxy", `http://${host}`);
  });
  after(async () => {
    await serving?.close();
    await closeFront?.();
    await registry?.close();
  });

  const gets = () => seen.filter((line) => line.startsWith("GET") && /\/(blobs|manifests)\//.test(line));
  const copy = async (name: string, target: string) => {
    const args = ["copy", "--quiet", "--insecure-policy", "--src-tls-verify=false"];
    await succeed("skopeo", [...args, `docker://${serving.host}/${name}`, `dir:${join(box.directory, target)}`]);
  };

  test("what is not here is fetched once and kept", async () => {
    await copy("library/debian:12", "first");
    const first = gets().length;
    assert.equal(first, new Set(gets()).size);
    assert.ok(first >= 3, seen.join("\n"));
    await copy("library/debian:12", "second");
    assert.equal(gets().length, first, "all of it was here");
  });

  test("another tag of the same image costs a HEAD only", async () => {
    const before = gets().length;
    await copy("library/debian:13", "other");
    assert.equal(gets().length, before);
  });

  test("many clients at once share one download", async () => {
    const before = gets().length;
    await Promise.all(["a", "b", "c", "d"].map((target) => copy("team/app:1", `many-${target}`)));
    const blobs = gets()
      .slice(before)
      .filter((line) => line.includes("/blobs/"));
    assert.equal(blobs.length, new Set(blobs).size);
  });

  test("as a mirror it serves another Sampan", async () => {
    const other = new Sandbox();
    try {
      await other.start("--registry-mirror", serving.host);
      await other.ok("pull", "-q", "debian:12");
      assert.match(await other.ok("images", "debian"), /debian\s+12/);
    } finally {
      await other.close();
    }
  });

  test("tags come from upstream, what is not there is not found", async () => {
    const tags = await (await fetch(`http://${serving.host}/v2/library/debian/tags/list`)).json();
    assert.deepEqual(tags, { name: "library/debian", tags: ["12", "13"] });
    assert.equal((await fetch(`http://${serving.host}/v2/library/none/manifests/1`)).status, 404);
    const missing = `sha256:${"0".repeat(64)}`;
    assert.equal((await fetch(`http://${serving.host}/v2/library/debian/blobs/${missing}`)).status, 404);
  });

  test("a part of a blob that is not here yet", async () => {
    const layout = join(box.directory, "part");
    const layer = await tar([{ name: "part", body: randomBytes(1_000_000) }]);
    writeOciLayout(layout, { layers: [layer], config: {} });
    await registry.push(layout, "part/image:1");
    const manifest = (await (await fetch(`http://${serving.host}/v2/part/image/manifests/1`)).json()) as {
      layers: { digest: string }[];
    };
    const path = `/v2/part/image/blobs/${manifest.layers[0]?.digest}`;
    const part = await fetch(`http://${serving.host}${path}`, { headers: { range: "bytes=500000-500999" } });
    assert.equal(part.status, 206);
    const whole = Buffer.from(await (await fetch(`http://${registry.host}${path}`)).arrayBuffer());
    assert.ok(Buffer.from(await part.arrayBuffer()).equals(whole.subarray(500_000, 501_000)));
  });

  test("what was known last holds when upstream is away, also after a restart", async () => {
    await serving.close();
    await box.crash();
    dead = true;
    try {
      serving = await serveFrom(box, "--proxy", `http://${host}`);
      await copy("library/debian:12", "offline");
      assert.equal((await fetch(`http://${serving.host}/v2/library/none/manifests/1`)).status, 502);
    } finally {
      dead = false;
    }
  });

  test("what cannot be a registry is refused", async () => {
    const refused = (stderr: RegExp, proxy: string) =>
      box.fails({ status: 1, stderr }, "registry", "serve", "--proxy", proxy);
    await refused(/wanted the address of a registry/, "ftp://x");
    await refused(/list it as insecure/, "http://registry.example");
    await refused(/wanted the address of a registry/, "http://127.0.0.1:1/path");
  });
});
