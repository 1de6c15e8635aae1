import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { buildContext } from "../support/builds.ts";
import { busybox } from "../support/images.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { requires } from "../support/requires.ts";
import { type Sandbox, sandbox } from "../support/sandbox.ts";

/** Two machines: nothing is common to them but what a build brings from one to the other. */
const one = sandbox({ start: true });
const other = sandbox({ start: true });

/** Two stages whose commands never give the same twice. */
function randomBuild(): string {
  return buildContext(one, {
    Dockerfile: [
      "FROM busybox AS made",
      `RUN head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \\n' >/number # ${Math.random()}`,
      "FROM busybox",
      "WORKDIR /work",
      "COPY --from=made /number /work/",
      "RUN head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \\n' >/work/second",
    ],
  });
}

/** What the random commands said that the image was built with. */
const numbers = (box: Sandbox, image: string) =>
  box.ok("run", "--rm", "--network", "none", image, "sh", "-c", "cat /work/*");

async function build(box: Sandbox, directory: string, ...args: string[]): Promise<string> {
  const { status, stderr } = await box.run(["build", "--progress", "plain", ...args, directory], { timeout: 60_000 });
  assert.equal(status, 0, stderr);
  return stderr;
}

/** The instructions of steps that were not carried out; WORKDIR is the same in all builds here. */
function cachedSteps(told: string): string[] {
  const ids = [...told.matchAll(/^#(\d+) CACHED$/gm)].map(([, id]) => id);
  return ids.map((id) => new RegExp(`^#${id} \\[.*?\\] (\\w+)`, "m").exec(told)?.[1] ?? "");
}

const cachedIn = (told: string) => told.match(/^#\d+ CACHED$/gm)?.length ?? 0;

suite("caches of builds that come from elsewhere", requires("busybox", "docker-registry"), () => {
  let registry: Registry;

  before(async () => {
    const image = await busybox();
    await Promise.all([one, other].map((box) => box.load(image, "busybox:latest")));
    registry = await startRegistry(join(one.directory, "registry"));
  });
  after(() => registry.close());

  test("of a registry, all steps: another machine carries none of them out", async () => {
    const directory = randomBuild();
    const ref = `${registry.host}/team/cache:main`;
    const told = await build(one, directory, "-t", "a", "--cache-to", `type=registry,ref=${ref},mode=max`);
    assert.match(told, /exporting cache to 127\.0\.0\.1:/);
    const cached = await build(other, directory, "-t", "a", "--cache-from", ref);
    assert.match(cached, /importing cache manifest from 127\.0\.0\.1:/);
    assert.equal(cachedIn(cached), 4, cached);
    assert.equal(await numbers(other, "a"), await numbers(one, "a"));
    // It is the other's own now.
    assert.equal(cachedIn(await build(other, directory)), 4);
  });

  test("of a directory: an OCI layout that belongs to the directory's owner; tags are apart", async () => {
    const directory = randomBuild();
    const dest = join(one.directory, "layout", "deep");
    await build(one, directory, "-t", "b", "--cache-to", `type=local,dest=${dest},mode=max`);
    await build(one, randomBuild(), "--cache-to", `type=local,dest=${dest},tag=another`);
    const index = JSON.parse(readFileSync(join(dest, "index.json"), "utf8"));
    assert.equal(index.manifests.length, 2);
    assert.equal(readdirSync(dest).sort().join(" "), "blobs index.json oci-layout");
    assert.equal(statSync(join(dest, "index.json")).mode & 0o777, 0o644);
    assert.equal(cachedIn(await build(other, directory, "-t", "b", "--cache-from", `type=local,src=${dest}`)), 4);
    assert.equal(await numbers(other, "b"), await numbers(one, "b"));
  });

  test("mode=min has the steps of the result only", async () => {
    const directory = buildContext(one, {
      Dockerfile: [
        "FROM busybox AS x",
        `RUN echo ${Math.random()} >/x; echo >/more`,
        "FROM busybox",
        "COPY --from=x /x /",
        "RUN cp /x /y",
      ],
    });
    const dest = join(one.directory, "min");
    await build(one, directory, "--cache-to", `type=local,dest=${dest}`);
    // The first stage is carried out again, with the same result.
    assert.equal(cachedIn(await build(other, directory, "--cache-from", `type=local,src=${dest}`)), 2);
  });

  test("within an image", async () => {
    const plain = buildContext(one, {
      Dockerfile: ["FROM busybox", `RUN head -c 9 /dev/urandom >/n # ${Math.random()}`],
    });
    await build(one, plain, "-t", "c", "--cache-to", "type=inline");
    await one.ok("tag", "c", `${registry.host}/team/plain:1`);
    await one.ok("push", `${registry.host}/team/plain:1`);
    const told = await build(
      other,
      plain,
      "-t",
      "c",
      "--cache-from",
      `type=registry,ref=${registry.host}/team/plain:1`,
    );
    assert.equal(cachedIn(told), 1);
    const sum = (box: Sandbox) => box.ok("run", "--rm", "--network", "none", "c", "md5sum", "/n");
    assert.equal(await sum(other), await sum(one));
  });

  test("a cache that is not there is told, and everything is built", async () => {
    const plain = `${registry.host}/team/none:1`;
    const context = randomBuild();
    const absent = ["--cache-from", `type=local,src=${one.directory}/nowhere`, "--cache-from", plain];
    const told = await build(other, context, "-t", "d", ...absent);
    assert.match(told, /ERROR: .*nowhere.*no such file/);
    assert.match(told, /ERROR: .*manifest unknown/i);
    assert.deepEqual(cachedSteps(told), ["WORKDIR"]);
    // An image without a cache in it.
    await other.ok("tag", "d", plain);
    await other.ok("push", plain);
    assert.match(await build(other, randomBuild(), "--cache-from", plain), /holds no build cache/);
  });

  test("damaged layers and documents are refused", async () => {
    const directory = randomBuild();
    const dest = join(one.directory, "damaged");
    await build(one, directory, "--cache-to", `type=local,dest=${dest},mode=max`);
    const blobs = join(dest, "blobs", "sha256");
    const index = JSON.parse(readFileSync(join(dest, "index.json"), "utf8"));
    const root = index.manifests[0].digest.slice(7);
    const manifest = JSON.parse(readFileSync(join(blobs, root), "utf8"));
    for (const { digest } of manifest.layers) {
      const bytes = readFileSync(join(blobs, digest.slice(7)));
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      writeFileSync(join(blobs, digest.slice(7)), bytes);
    }
    const words = ["build", "--cache-from", `type=local,src=${dest}`, directory];
    await other.fails({ status: 1, stderr: /Cannot use the build cache of .*damaged/ }, ...words);
    for (const { digest } of manifest.layers) rmSync(join(blobs, digest.slice(7)));
    const again = await build(other, directory, "--cache-from", `type=local,src=${dest}`);
    assert.deepEqual(cachedSteps(again), ["WORKDIR"]);
    writeFileSync(join(blobs, root), "{}");
    await other.fails({ status: 1, stderr: /has another digest in truth/ }, ...words);
  });

  test("what cannot be done is refused", async () => {
    const directory = randomBuild();
    const refused: [string, string, RegExp][] = [
      ["--cache-to", "type=gha", /registry, local and inline/],
      ["--cache-from", "type=s3,bucket=x", /registry and local/],
      ["--cache-to", "type=inline,mode=max", /inline/],
      ["--cache-to", "type=local,dest=x,compression=zstd", /compression/],
      ["--cache-to", "type=registry", /requires ref=/],
      ["--cache-to", "type=registry,ref=x,mode=most", /no mode=most/],
    ];
    for (const [flag, value, stderr] of refused) {
      await one.fails({ status: 1, stderr }, "build", flag, value, directory);
    }
  });
});
