import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { buildContext } from "../support/builds.ts";
import { buildx, requiresPlugins } from "../support/buildx.ts";
import { busybox } from "../support/images.ts";
import { type Sandbox, sandbox } from "../support/sandbox.ts";

/** Two machines: nothing is common to them but what a client brings from one to the other. */
const box = sandbox({ start: true });
const other = sandbox({ start: true });

/** A stage whose command never gives the same twice. */
const random = () =>
  buildContext(box, {
    Dockerfile: [
      "FROM busybox AS made",
      `RUN head -c 16 /dev/urandom | md5sum > /number # ${Math.random()}`,
      "FROM busybox",
      "COPY --from=made /number /",
      "RUN rev /number > /second",
    ],
  });

const number = (one: Sandbox) => one.ok("run", "--rm", "--network", "none", "number", "cat", "/second");

async function build(one: Sandbox, directory: string, ...args: string[]): Promise<string> {
  const { status, stderr } = await buildx(one, ["-t", "number", ...args, directory]);
  assert.equal(status, 0, stderr);
  return stderr;
}

const cachedIn = (told: string) => told.match(/^#\d+ CACHED$/gm)?.length ?? 0;

suite("caches in directories of buildx's machine", requiresPlugins("docker-buildx"), () => {
  before(async () => {
    const image = await busybox();
    await Promise.all([box, other].map((one) => one.load(image, "busybox:latest")));
  });

  test("all steps: another machine carries none of them out", async () => {
    const directory = random();
    // Where the client is, not where the daemon is.
    await build(box, directory, "--cache-to", "type=local,dest=cache,mode=max,image-manifest=true");
    const cache = join(box.directory, "cache");
    assert.deepEqual(readdirSync(cache).sort().slice(0, 2), ["blobs", "index.json"]);
    assert.equal(cachedIn(await build(other, directory, "--cache-from", `type=local,src=${cache}`)), 3);
    assert.equal(await number(other), await number(box));
  });

  test("the steps of the image alone, under a tag beside others", async () => {
    const cache = join(box.directory, "tags");
    const directories = [random(), random()];
    for (const [i, directory] of directories.entries()) {
      await build(box, directory, "--cache-to", `type=local,dest=${cache},tag=t${i}`);
    }
    assert.equal(JSON.parse(readFileSync(join(cache, "index.json"), "utf8")).manifests.length, 2);
    for (const [i, directory] of directories.entries()) {
      const told = await build(other, directory, "--cache-from", `type=local,src=${cache},tag=t${i}`);
      assert.ok(cachedIn(told) >= 1, told);
    }
  });

  test("what is not there is passed over, what is damaged is told", async () => {
    const directory = random();
    const cache = join(box.directory, "damaged");
    await build(box, directory, "--cache-from", `type=local,src=${join(box.directory, "nowhere")}`);
    await build(box, directory, "--cache-to", `type=local,dest=${cache},mode=max`);
    const blobs = join(cache, "blobs", "sha256");
    const [{ digest }] = JSON.parse(readFileSync(join(cache, "index.json"), "utf8")).manifests;
    const manifest = JSON.parse(readFileSync(join(blobs, digest.slice(7)), "utf8"));
    const layer = join(blobs, manifest.layers[0].digest.slice(7));
    writeFileSync(layer, Buffer.alloc(readFileSync(layer).length, "x"));
    const { status, stderr } = await buildx(other, ["--cache-from", `type=local,src=${cache}`, directory]);
    assert.notEqual(status, 0);
    assert.match(stderr, /digest|verif/i);
    rmSync(layer);
    assert.match(await build(other, directory, "--cache-from", `type=local,src=${cache}`), /no blob/);
  });

  test("inline: an image that was pushed or loaded is a cache, too", async () => {
    const directory = random();
    await build(box, directory, "--cache-to", "type=inline", "--build-arg", "BUILDKIT_INLINE_CACHE=1");
    assert.equal(cachedIn(await build(box, directory)), 3);
  });
});
