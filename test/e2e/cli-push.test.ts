import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { docker } from "../support/docker.ts";
import { architecture, busybox, dockerArchive, tar } from "../support/images.ts";
import { succeed } from "../support/process.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

suite("sampan push", requires("busybox", "docker-registry", "skopeo"), () => {
  let registry: Registry;
  let repository: string;

  before(async () => {
    registry = await startRegistry(join(box.directory, "registry"));
    repository = `${registry.host}/tools/busybox`;
    const own = await tar([{ name: "own", body: "own" }]);
    const image = await busybox();
    const names = ["latest", "1", "2"].map((tag) => `${repository}:${tag}`);
    const archive = await dockerArchive({ ...image, layers: [...image.layers, own] }, names);
    const { status, stderr } = await box.run(["load"], { input: archive });
    assert.equal(status, 0, stderr);
  });
  after(() => registry?.close());

  const digestAt = async (tag: string) => {
    const format = ["--format", "{{.Digest}}"];
    return (
      await succeed("skopeo", ["inspect", ...format, "--tls-verify=false", `docker://${repository}:${tag}`])
    ).trim();
  };

  test("prints plain lines to a pipe, the digest last", async () => {
    const lines = (await box.ok("push", repository)).split("\n");
    assert.deepEqual(lines.slice(0, 2), ["Using default tag: latest", `The push refers to repository [${repository}]`]);
    assert.equal(lines.filter((line) => /^[0-9a-f]{12}: Preparing$/.test(line)).length, 2);
    assert.equal(lines.filter((line) => /^[0-9a-f]{12}: Pushed$/.test(line)).length, 2);
    assert.match(lines.at(-1) ?? "", new RegExp(`^latest: digest: ${await digestAt("latest")} size: \\d+$`));
    assert.match(await box.ok("images", "--digests", repository), /sha256:/);
  });

  test("says the same as docker", requires("docker"), async () => {
    const [ours, theirs] = [await box.run(["push", repository]), await docker(box, ["push", repository])];
    const sorted = (text: string) => text.split("\n").sort();
    assert.deepEqual([ours.status, sorted(ours.stdout)], [theirs.status, sorted(theirs.stdout)]);
    const quiet = [
      await box.run(["push", "-q", `${repository}:1`]),
      await docker(box, ["push", "-q", `${repository}:1`]),
    ];
    assert.deepEqual(quiet[0]?.stdout, quiet[1]?.stdout);
  });

  test("the route tells its progress line by line", async () => {
    const answer = await box.api("POST", `/images/${repository}/push?tag=1`);
    assert.equal(answer.status, 200);
    const last = answer.text.trim().split("\r\n").at(-1) ?? "";
    assert.equal(JSON.parse(last).aux.Digest, await digestAt("1"));
  });

  test("-a pushes all tags, --platform the image of one", requires("docker"), async () => {
    const said = await box.ok("push", "-a", repository);
    for (const tag of ["1", "2", "latest"]) assert.match(said, new RegExp(`^${tag}: digest: `, "m"));
    assert.equal(await digestAt("2"), await digestAt("latest"));
    await box.fails({ status: 1, stderr: /tag can't be used with --all-tags\/-a/ }, "push", "-a", `${repository}:1`);
    const all = await docker(box, ["push", "--all-tags", repository]);
    assert.equal(all.status, 0, all.stderr);
    for (const tag of ["1", "2", "latest"]) assert.match(all.stdout, new RegExp(`^${tag}: digest: `, "m"));
    const part = await docker(box, ["push", "--platform", `linux/${architecture}`, repository]);
    assert.equal(part.status, 0, part.stderr);
    const [ours, theirs] = [await box.ok("push", "--platform", `linux/${architecture}`, repository), part.stdout];
    assert.equal(ours.split("\n").at(-1), theirs.trimEnd().split("\n").at(-1));
  });

  test("--compression", async () => {
    await box.ok("push", "--compression", "zstd", `${repository}:2`);
    const raw = await succeed("skopeo", ["inspect", "--raw", "--tls-verify=false", `docker://${repository}:2`]);
    assert.match(raw, /tar\+zstd/);
    await box.fails({ status: 125, stderr: /must be none, gzip or zstd/ }, "push", "--compression", "lz4", repository);
  });

  test("says what is wrong", async () => {
    const none = new RegExp(`An image does not exist locally with the tag: ${registry.host}/none`);
    await box.fails({ status: 1, stderr: none }, "push", `${registry.host}/none`);
    await box.fails({ status: 1, stderr: /tag does not exist: / }, "push", `${repository}:none`);
    await box.fails({ status: 1, stderr: /invalid reference format/ }, "push", "UPPER");
    await box.fails(
      { status: 1, stderr: /does not match the specified platform/ },
      "push",
      "--platform",
      "linux/s390x",
      repository,
    );
  });
});
