import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { docker } from "../support/docker.ts";
import { busybox, writeOciLayout } from "../support/images.ts";
import type { Finished } from "../support/process.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { requires } from "../support/requires.ts";
import { sampan, sandbox } from "../support/sandbox.ts";
import { openTerminal } from "../support/terminal.ts";

const box = sandbox({ start: true });

suite("sampan pull", requires("busybox", "docker-registry", "skopeo"), () => {
  let registry: Registry;
  let image: string;

  before(async () => {
    registry = await startRegistry(join(box.directory, "registry"));
    const layout = join(box.directory, "layout");
    writeOciLayout(layout, await busybox());
    await registry.push(layout, "tools/busybox:1");
    image = `${registry.host}/tools/busybox:1`;
  });
  after(() => registry?.close());

  test("prints plain lines to a pipe, the image's full name last", async () => {
    const lines = (await box.ok("pull", image)).split("\n");
    assert.equal(lines[0], "1: Pulling from tools/busybox");
    assert.match(lines[1] ?? "", /^[0-9a-f]{12}: Pulling fs layer$/);
    assert.ok(lines.some((line) => /^[0-9a-f]{12}: Pull complete$/.test(line)));
    assert.ok(
      lines.every((line) => !line.includes("\x1b")),
      "escapes in a pipe",
    );
    assert.match(lines.at(-3) ?? "", /^Digest: sha256:[0-9a-f]{64}$/);
    assert.deepEqual(lines.slice(-2), [`Status: Downloaded newer image for ${image}`, image]);
    assert.match(await box.ok("pull", image), /Status: Image is up to date for /);
  });

  test("says the same as docker", requires("docker"), async () => {
    const [ours, theirs] = [await box.run(["pull", image]), await docker(box, ["pull", image])];
    assert.deepEqual([ours.status, ours.stdout], [theirs.status, theirs.stdout]);
  });

  test("-q prints the name alone", async () => {
    assert.equal(await box.ok("pull", "-q", image), image);
  });

  test("-a pulls all tags, also for docker", requires("docker"), async () => {
    const repository = image.slice(0, image.lastIndexOf(":"));
    for (const tag of ["2", "3"]) {
      await box.ok("tag", image, `${repository}:${tag}`);
      await box.ok("push", "-q", `${repository}:${tag}`);
    }
    const pulls: (() => Promise<Finished>)[] = [
      () => box.run(["pull", "-a", repository]),
      () => docker(box, ["pull", "-a", repository]),
    ];
    for (const pull of pulls) {
      for (const tag of ["2", "3"]) await box.ok("rmi", `${repository}:${tag}`);
      const { status, stdout, stderr } = await pull();
      assert.equal(status, 0, stderr);
      for (const tag of ["1", "2", "3"]) assert.match(stdout, new RegExp(`^${tag}: Pulling from tools/busybox$`, "m"));
      const here = await box.ok("images", "--format", "{{.Tag}}", repository);
      assert.deepEqual(here.split("\n").sort(), ["1", "2", "3"]);
    }
    for (const tag of ["2", "3"]) await box.ok("rmi", `${repository}:${tag}`);
  });

  test("shows one line per layer on a terminal", requires("tmux"), async () => {
    await box.ok("rmi", image);
    const terminal = await openTerminal(box.directory, ["sh", "-c", `${sampan} pull ${image}; sleep 60`], box.env);
    try {
      const screen = await terminal.shows(new RegExp(`^${image}$`, "m"));
      assert.match(screen, /^1: Pulling from tools\/busybox$/m);
      assert.equal(screen.match(/^[0-9a-f]{12}: /gm)?.length, 1, screen);
      assert.match(screen, /^[0-9a-f]{12}: Pull complete$/m);
    } finally {
      await terminal.close();
    }
  });

  test("run pulls what is missing, with progress on stderr; --pull always asks again", async () => {
    await box.run(["rmi", image]);
    const run = await box.run(["run", "--rm", image, "echo", "out"]);
    assert.deepEqual([run.status, run.stdout], [0, "out\n"]);
    assert.match(run.stderr, new RegExp(`^Unable to find image '${image}' locally\n1: Pulling from tools/busybox\n`));
    assert.match((await box.run(["run", "--rm", "--pull", "always", image, "true"])).stderr, /Image is up to date/);
    const quiet = await box.run(["run", "--rm", "-q", "--pull", "always", image, "true"]);
    assert.deepEqual([quiet.status, quiet.stderr], [0, ""]);
  });

  test("says what is wrong with an image that cannot be pulled", async () => {
    await box.fails({ status: 1, stderr: /tools\/nosuch/ }, "pull", `${registry.host}/tools/nosuch:1`);
    await box.fails({ status: 1, stderr: /nosuchtag/ }, "pull", `${registry.host}/tools/busybox:nosuchtag`);
    await box.fails({ status: 1, stderr: /invalid reference format/ }, "pull", "a/UPPER:1");
    await box.fails({ status: 1, stderr: /127\.0\.0\.1:1/ }, "pull", "127.0.0.1:1/x:1");
    await box.fails({ status: 1, stderr: /tag can't be used with --all-tags\/-a/ }, "pull", "-a", "x:1");
    await box.fails({ status: 125, stderr: /tools\/nosuch/ }, "run", `${registry.host}/tools/nosuch:1`);
  });
});
