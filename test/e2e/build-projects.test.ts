import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import {
  cProgram,
  mirrored,
  monorepo,
  nodeImage,
  nodePackages,
  nodeService,
  nodeServiceOfRegistry,
  npmPackage,
} from "../suites/dockerfile/projects.ts";
import { buildContext } from "../support/builds.ts";
import { busybox, debian } from "../support/images.ts";
import { debianMirror } from "../support/mirror.ts";
import { startNpmRegistry } from "../support/npm-registry.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

/** Dockerfiles as projects have them, of what is at hand without a public registry. */
const box = sandbox({ start: true });

/** Builds with these words, which has to succeed; however busy the machine is. */
async function build(...args: string[]): Promise<void> {
  const { status, stderr } = await box.run(["build", ...args], { timeout: 240_000 });
  assert.equal(status, 0, stderr);
}

const run = (image: string, ...words: string[]) => box.ok("run", "--rm", "--network", "none", image, ...words);

suite("projects", requires("busybox", "debootstrap", "ldd", "npm", "tar"), () => {
  before(async () => box.load(await nodeImage(), "node:26"));

  test("a service of Node in stages: npm ci, tests run, only what is needed is delivered", async () => {
    const directory = buildContext(box, await nodeService());
    await build("--build-arg", "VERSION=1.2", "-t", "service", directory);
    assert.equal(await run("service"), "hello 1000 production");
    const [image] = JSON.parse(await box.ok("image", "inspect", "service"));
    assert.equal(image.Config.Labels["org.opencontainers.image.version"], "1.2");
    const listed = await box.ok(
      "run",
      "--rm",
      "--entrypoint",
      "ls",
      "--network",
      "none",
      "service",
      ".",
      "node_modules",
    );
    assert.equal(listed, ".:\nnode_modules\npackage.json\nserver.js\n\nnode_modules:\ngreeting");
  });

  test("its dependencies from a registry that wants a token, and from the kept cache when that is away", async () => {
    const [greeting, bundle] = [await npmPackage(nodePackages.greeting), await npmPackage(nodePackages.bundle)];
    const registry = await startNpmRegistry({ greeting, bundle }, "t0ken");
    const npmrc = join(box.directory, "npmrc");
    writeFileSync(npmrc, `registry=${registry.url}/\n${registry.url.slice("http:".length)}/:_authToken=t0ken\n`);
    const directory = buildContext(box, await nodeServiceOfRegistry(registry.url));
    const buildService = (...more: string[]) =>
      build("--allow", "network.host", "--secret", `id=npmrc,src=${npmrc}`, "-t", "fetched", ...more, directory);
    try {
      await buildService();
      const tarballs = registry.seen.filter((line) => line.endsWith(".tgz")).toSorted();
      assert.deepEqual(tarballs, ["GET /bundle/-/bundle-1.0.0.tgz", "GET /greeting/-/greeting-1.0.0.tgz"]);
    } finally {
      await registry.close();
    }
    assert.equal(await run("fetched"), "hello 1000 production");
    assert.doesNotMatch(await box.ok("history", "--no-trunc", "fetched"), /t0ken/);
    // The registry is gone: what npm fetched is in the cache that it mounts.
    await buildService("--no-cache");
    assert.equal(await run("fetched"), "hello 1000 production");
    const files = ["run", "--rm", "--entrypoint", "find", "--network", "none", "--user", "0", "fetched"];
    assert.equal(await box.ok(...files, "/root", "-type", "f"), "", "neither the secret nor the cache is in the image");
  });

  test("a program in C: apt-get installs its compiler, objects are kept, its package is installed", async () => {
    await box.load(await debian(), "debian:12");
    const mirror = ["--build-context", `mirror=${await debianMirror(mirrored)}`];
    const directory = buildContext(box, cProgram);
    await build(...mirror, "-t", "answer", directory);
    assert.equal(await run("answer"), "42");
    assert.match(await run("answer", "dpkg", "-s", "answer"), /Status: install ok installed/);
    assert.match(await run("answer", "sh", "-c", "command -v tcc || echo none"), /^none$/);
    writeFileSync(join(directory, "main.c"), `${cProgram["main.c"]}/* a change */\n`);
    const again = await box.run(["build", ...mirror, "--target", "build", "--progress", "plain", directory], {
      timeout: 240_000,
    });
    assert.equal(again.status, 0, again.stderr);
    assert.match(again.stderr, /tcc -c -o \/objects\/main\.o/);
    assert.doesNotMatch(
      again.stderr,
      /number\.o number\.c|Unpacking/,
      "objects are kept between builds, packages cached",
    );
  });

  test("a monorepo: one context, a target for each service, common files from a stage", async () => {
    await box.load(await busybox(), "busybox:latest");
    const directory = buildContext(box, monorepo);
    await build("--target", "api", "-t", "api", directory);
    await build("--target", "web", "-t", "web", directory);
    assert.equal(await run("api"), "api says ./api/run.sh ./common/SUMS ./common/say.sh ");
    assert.equal(await run("web"), "web says ./common/say.sh ./web/README.md ./web/run.sh ");
  });
});
