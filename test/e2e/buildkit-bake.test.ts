import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { buildContext } from "../support/builds.ts";
import { plugin, pluginEnv, requiresPlugins } from "../support/buildx.ts";
import { dockerOf } from "../support/docker.ts";
import { busybox } from "../support/images.ts";
import { eventually, runProgram } from "../support/process.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });
const { ok } = dockerOf(box);

/** `docker buildx bake ARGS…` in a directory. */
async function bake(directory: string, ...args: string[]) {
  const all = ["bake", "--progress=plain", ...args];
  const options = { cwd: directory, timeout: 120_000, env: pluginEnv(box) };
  const { status, stdout, stderr } = await runProgram(plugin("docker-buildx") ?? "docker-buildx", all, options);
  return { status, told: `${stdout}${stderr}` };
}

async function baked(directory: string, ...args: string[]): Promise<string> {
  const { status, told } = await bake(directory, ...args);
  assert.equal(status, 0, told);
  return told;
}

const printed = (image: string) => ok("run", "--rm", "--network", "none", image, "cat", "/it");

const file = `
variable "TAG" { default = "dev" }
group "default" { targets = ["web", "worker"] }
target "base" {
  context = "base"
  args = { WHO = "base" }
}
target "common" {
  contexts = { base = "target:base" }
  args = { TAG = TAG }
}
target "web" {
  inherits = ["common"]
  dockerfile = "Web"
  tags = ["web:\${TAG}"]
}
target "worker" {
  inherits = ["common"]
  dockerfile = "Worker"
  tags = ["worker:\${TAG}"]
}
target "broken" {
  dockerfile-inline = "FROM busybox\\nRUN exit 7"
}
target "on-broken" {
  contexts = { base = "target:broken" }
  dockerfile-inline = "FROM base\\nRUN true"
}
`;

const files = {
  "docker-bake.hcl": file,
  "base/Dockerfile": ["FROM busybox", "ARG WHO", "COPY own /own", "RUN echo $WHO $(cat /own) > /it"],
  "base/own": "own\n",
  Web: ["FROM base", "ARG TAG", "RUN echo web $TAG >> /it"],
  Worker: ["FROM busybox", "COPY --from=base /it /it", "COPY text /", "RUN cat /text >> /it"],
  text: "of the worker\n",
};

suite("docker buildx bake", requiresPlugins("docker-buildx"), () => {
  before(async () => box.load(await busybox(), "busybox:latest"));

  test("several targets at once, which begin with another's result", async () => {
    const directory = buildContext(box, files);
    const told = await baked(directory);
    assert.equal(await printed("web:dev"), "base own\nweb dev");
    assert.equal(await printed("worker:dev"), "base own\nof the worker");
    assert.match(told, /\[web .*RUN echo web/);
    const again = await baked(directory);
    assert.ok((again.match(/ CACHED$/gm)?.length ?? 0) >= 4, again);
  });

  test("variables and what is set on the command line", async () => {
    const directory = buildContext(box, files);
    await baked(directory, "--set", "web.args.TAG=set", "--set", "web.tags=web:set", "web");
    assert.equal(await printed("web:set"), "base own\nweb set");
  });

  test("a target that others begin with, and that has an output itself", async () => {
    await baked(buildContext(box, files), "--set", "base.tags=the-base:1", "base", "web");
    assert.equal(await printed("the-base:1"), "base own");
    assert.equal(await printed("web:dev"), "base own\nweb dev");
  });

  test("a target that only others need leaves no image", async () => {
    const unnamed = async () => (await ok("images", "-a", "-q", "--filter", "dangling=true")).split("\n").length;
    const before = await unnamed();
    const settings = ["base.output=type=cacheonly", "base.args.WHO=passing", "web.tags=passing"];
    await baked(buildContext(box, files), ...settings.flatMap((one) => ["--set", one]), "web");
    assert.equal(await printed("passing"), "passing own\nweb dev");
    await eventually("no image is left without a name", async () => (await unnamed()) <= before);
  });

  test("a target that fails fails those that begin with it", async () => {
    const { status, told } = await bake(buildContext(box, files), "on-broken");
    assert.notEqual(status, 0);
    assert.match(told, /exit code: 7/);
  });

  test("a file of Compose", async () => {
    const directory = buildContext(box, {
      "docker-compose.yml": ["services:", "  one: {image: 'one:c', build: one}", "  two: {image: 'two:c', build: two}"],
      "one/Dockerfile": ["FROM busybox", "RUN echo one > /it"],
      "two/Dockerfile": ["FROM busybox", "RUN echo two > /it"],
    });
    await baked(directory);
    assert.equal(await printed("one:c"), "one");
    assert.equal(await printed("two:c"), "two");
  });
});
