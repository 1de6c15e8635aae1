import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { docker } from "../support/docker.ts";
import { tar, writeIndexLayout } from "../support/images.ts";
import { runProgram, succeed } from "../support/process.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

interface Index {
  readonly mediaType: string;
  readonly manifests: readonly { readonly digest: string; readonly platform: Record<string, unknown> }[];
}

suite("sampan manifest", { ...requires("docker-registry", "skopeo"), ...requiresRoot() }, () => {
  let registry: Registry;
  let list: string;
  let parts: string[];

  before(async () => {
    registry = await startRegistry(join(box.directory, "registry"));
    list = `${registry.host}/multi/list:1`;
    const layer = await tar([{ name: "file", body: "content" }]);
    parts = [];
    for (const architecture of ["amd64", "arm64"]) {
      const layout = join(box.directory, architecture);
      writeIndexLayout(layout, [{ architecture, image: { layers: [layer], config: {} } }], "x");
      // skopeo copies the only image of the index, not the index.
      const platform = ["--override-arch", architecture];
      const copy = ["copy", "--quiet", "--insecure-policy", "--dest-tls-verify=false", `oci:${layout}:x`];
      const name = architecture === "amd64" ? "multi/list:amd64" : "multi/arm:1";
      await succeed("skopeo", [...platform, ...copy, `docker://${registry.host}/${name}`]);
      parts.push(`${registry.host}/${name}`);
    }
  });
  after(() => registry?.close());

  const raw = async (name: string) =>
    JSON.parse(await succeed("skopeo", ["inspect", "--raw", "--tls-verify=false", `docker://${name}`])) as Index;
  const platforms = ({ manifests }: Index) =>
    manifests.map(({ platform }) => `${platform.os}/${platform.architecture}`);

  test("create, inspect, annotate and push a list, with a manifest of another repository", async () => {
    assert.equal(await box.ok("manifest", "create", "--insecure", list, ...parts), `Created manifest list ${list}`);
    const directory = join(box.directory, "home/.docker/manifests", list.replaceAll(":", "-").replaceAll("/", "_"));
    assert.ok(existsSync(directory), "where docker has it");
    const local = JSON.parse(await box.ok("manifest", "inspect", list)) as Index;
    assert.deepEqual(platforms(local).sort(), ["linux/amd64", "linux/arm64"]);
    await box.ok(
      "manifest",
      "annotate",
      "--os",
      "linux",
      "--arch",
      "arm64",
      "--variant",
      "v8",
      "--os-version",
      "1",
      "--os-features",
      "a,b",
      list,
      parts[1] ?? "",
    );
    const verbose = JSON.parse(await box.ok("manifest", "inspect", "--insecure", "-v", list, parts[1] ?? "")) as {
      Descriptor: { platform: object };
    };
    const platform = {
      architecture: "arm64",
      os: "linux",
      "os.version": "1",
      "os.features": ["a", "b"],
      variant: "v8",
    };
    assert.deepEqual(verbose.Descriptor.platform, platform);
    const digest = await box.ok("manifest", "push", list);
    const pushed = await raw(list);
    assert.equal(pushed.mediaType, "application/vnd.oci.image.index.v1+json");
    assert.deepEqual(
      pushed.manifests.find(({ platform: { architecture } }) => architecture === "arm64")?.platform,
      platform,
    );
    const at = (architecture: string) => ["pull", "-q", "--platform", `linux/${architecture}`, list];
    for (const architecture of ["amd64", "arm64"]) await box.ok(...at(architecture));
    assert.ok((await box.ok("image", "inspect", "-f", "{{.RepoDigests}}", list)).includes(digest));
    await box.ok("manifest", "rm", list);
    assert.ok(!existsSync(directory));
  });

  test("images --tree shows every platform, here or not, to docker too", requires("docker"), async () => {
    const own = (await box.ok("images", "--tree", `${registry.host}/multi/list`)).split("\n");
    assert.match(own[0] ?? "", /^IMAGE +ID +DISK USAGE +CONTENT SIZE +EXTRA$/);
    assert.ok(
      own.some((line) => line.startsWith(list)),
      own.join("\n"),
    );
    for (const architecture of ["amd64", "arm64/v8"]) {
      assert.ok(
        own.some((line) => new RegExp(`^[├└]─ linux/${architecture} +[0-9a-f]{12} +\\S+B`).test(line)),
        own.join("\n"),
      );
    }
    const theirs = await docker(box, ["images", "--tree", `${registry.host}/multi/list`]);
    assert.equal(theirs.status, 0, theirs.stderr);
    for (const architecture of ["amd64", "arm64/v8"])
      assert.ok(theirs.stdout.includes(`linux/${architecture}`), theirs.stdout);
    await box.fails({ status: 1, stderr: /--quiet is not yet supported with --tree/ }, "images", "--tree", "-q");
  });

  test("inspect what a registry has", async () => {
    const single = JSON.parse(await box.ok("manifest", "inspect", parts[0] ?? "")) as { config: object };
    assert.ok(single.config);
    const index = JSON.parse(await box.ok("manifest", "inspect", list)) as Index;
    assert.deepEqual(index, await raw(list));
    const verbose = JSON.parse(await box.ok("manifest", "inspect", "--verbose", list)) as { Ref: string }[];
    assert.equal(verbose.length, 2);
  });

  test("docker goes on with a list that was begun here, and the reverse", requires("docker"), async () => {
    const env = { ...box.env, DOCKER_CONFIG: join(box.directory, "home/.docker"), DOCKER_HOST: "unix:///nonexistent" };
    const dockers = (...args: string[]) => runProgram("docker", ["manifest", ...args], { env });
    const [ours, theirs] = ["ours", "theirs"].map((tag) => `${registry.host}/multi/list:${tag}`) as [string, string];
    await box.ok("manifest", "create", ours, parts[0] ?? "");
    const pushed = await dockers("push", "--insecure", "-p", ours);
    assert.equal(pushed.status, 0, pushed.stderr);
    assert.deepEqual(platforms(await raw(ours)), ["linux/amd64"]);
    const created = await dockers("create", "--insecure", theirs, parts[0] ?? "");
    assert.equal(created.status, 0, created.stderr);
    await box.ok("manifest", "push", "--insecure", "--purge", theirs);
    assert.deepEqual(platforms(await raw(theirs)), ["linux/amd64"]);
    assert.equal((await box.run(["manifest", "rm", theirs])).status, 1);
  });

  test("says what is wrong", async () => {
    const fails = (stderr: RegExp, ...args: string[]) => box.fails({ status: 1, stderr }, "manifest", ...args);
    await fails(/is a manifest list/, "create", `${list}2`, list);
    await fails(/manifest unknown/, "create", `${list}2`, `${registry.host}/multi/none:1`);
    await box.ok("manifest", "create", `${list}2`, parts[0] ?? "");
    await fails(
      /refusing to amend an existing manifest list with no --amend flag/,
      "create",
      `${list}2`,
      parts[1] ?? "",
    );
    await box.ok("manifest", "create", "--amend", `${list}2`, parts[1] ?? "");
    await fails(/manifest for image .* does not exist in /, "annotate", `${list}3`, parts[1] ?? "");
    await fails(
      /unsupported os\/arch combination: \/arm64/,
      "annotate",
      "--os",
      "",
      "--arch",
      "arm64",
      `${list}2`,
      parts[1] ?? "",
    );
    await fails(/not found/, "push", `${list}3`);
    await box.ok("manifest", "create", "elsewhere/list:1", parts[0] ?? "");
    await fails(/cannot use source images from a different registry/, "push", "elsewhere/list:1");
  });
});
