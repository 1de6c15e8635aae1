import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { buildContext } from "../support/builds.ts";
import { buildxOf, plugin, pluginEnv, requiresPlugins } from "../support/buildx.ts";
import { dockerOf } from "../support/docker.ts";
import { busybox } from "../support/images.ts";
import { eventually, succeed } from "../support/process.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });
/** Another machine. */
const other = sandbox({ start: true });
const { ok } = dockerOf(box);
const { built, refused } = buildxOf(box);
const context = (files: Parameters<typeof buildContext>[1]) => buildContext(box, files);

const both = "linux/amd64,linux/arm64";
const several = {
  Dockerfile: ["FROM scratch", "ARG TARGETARCH", "COPY $TARGETARCH /file"],
  amd64: "amd",
  arm64: "arm",
};

/** A JSON file of a tar archive. */
function jsonIn(archive: string, name: string) {
  return JSON.parse(execFileSync("tar", ["-xOf", archive, name], { encoding: "utf8" }));
}

const images = async () => (await ok("images", "-a", "-q")).split("\n").filter(Boolean).length;

/** What builds have that are under way. */
function builds(): string[] {
  const directory = join(box.layout.tmp, "builds");
  return existsSync(directory) ? readdirSync(directory) : [];
}

suite("outputs of buildx", requiresPlugins("docker-buildx"), () => {
  before(async () => box.load(await busybox(), "busybox:latest"));

  test("several platforms: one name, an image for each", async () => {
    const id = join(box.directory, "id");
    await built("--platform", both, "-t", "several", "--iidfile", id, context(several));
    const architecture = (platform: string) =>
      box.ok("image", "inspect", "--platform", platform, "--format", "{{.Architecture}}", "several");
    assert.equal((await architecture("linux/amd64")).trim(), "amd64");
    assert.equal((await architecture("linux/arm64")).trim(), "arm64");
    assert.equal((await ok("images", "-q", "several")).split("\n").length, 1);
    assert.match(await ok("image", "inspect", "--format", "{{.Id}}", readFileSync(id, "utf8")), /^sha256:/);
  });

  test("files of several platforms have a directory for each", async () => {
    const [directory, archive] = [join(box.directory, "files"), join(box.directory, "files.tar")];
    await built("--platform", both, "-o", directory, context(several));
    assert.deepEqual(readdirSync(directory).sort(), ["linux_amd64", "linux_arm64"]);
    assert.equal(readFileSync(join(directory, "linux_arm64", "file"), "utf8"), "arm");
    await built("--platform", both, "-o", `type=tar,dest=${archive}`, context(several));
    assert.match(execFileSync("tar", ["-tf", archive], { encoding: "utf8" }), /^linux_amd64\/file$/m);
  });

  test(
    "an image as an archive, for docker and for the tools of the OCI, stored nowhere",
    requires("skopeo"),
    async () => {
      const directory = context({ Dockerfile: ["FROM busybox", "RUN echo archived > /it", 'CMD ["cat", "/it"]'] });
      const before = await images();
      for (const type of ["docker", "oci"]) {
        const archive = join(box.directory, `${type}.tar`);
        await built("-t", "archived:1", "-o", `type=${type},dest=${archive}`, directory);
        const { manifests } = jsonIn(archive, "index.json");
        assert.equal(manifests[0].annotations["io.containerd.image.name"], "docker.io/library/archived:1");
        assert.deepEqual(jsonIn(archive, "manifest.json")[0].RepoTags, ["archived:1"]);
        const { Layers } = JSON.parse(await succeed("skopeo", ["inspect", `oci-archive:${archive}`]));
        assert.equal(Layers.length, 2);
        await other.ok("load", "-i", archive);
        assert.equal(await other.ok("run", "--rm", "--network", "none", "archived:1"), "archived");
        await other.ok("rmi", "archived:1");
      }
      assert.equal(await images(), before);
      await refusedWithout("archived:1");
    },
  );

  test("an index as an archive", async () => {
    const archive = join(box.directory, "index.tar");
    const metadata = join(box.directory, "metadata");
    const args = ["--platform", both, "-t", "index:1", "--metadata-file", metadata];
    await built(...args, "-o", `type=oci,dest=${archive}`, context(several));
    const [{ digest, mediaType }] = jsonIn(archive, "index.json").manifests;
    assert.equal(mediaType, "application/vnd.oci.image.index.v1+json");
    const parts = jsonIn(archive, `blobs/${digest.replace(":", "/")}`).manifests;
    assert.deepEqual(
      parts.map(({ platform }: { platform: { architecture: string } }) => platform.architecture),
      ["amd64", "arm64"],
    );
    assert.equal(JSON.parse(readFileSync(metadata, "utf8"))["containerimage.digest"], digest);
    await refused(
      /does not (?:currently )?support exporting manifest lists/,
      ...args,
      "-o",
      "type=docker,dest=x",
      context(several),
    );
  });

  test("an image as a directory: blobs that are there are not sent again", requires("skopeo"), async () => {
    const layout = join(box.directory, "layout");
    const directory = context({ Dockerfile: ["FROM busybox", "RUN echo more > /more"] });
    await built("-t", "laid:1", "-o", `type=oci,tar=false,dest=${layout}`, directory);
    assert.ok(existsSync(join(layout, "oci-layout")) || existsSync(join(layout, "index.json")));
    const shown = JSON.parse(await succeed("skopeo", ["inspect", "--raw", `oci:${layout}`]));
    assert.equal(shown.layers.length, 2);
    const count = readdirSync(join(layout, "blobs", "sha256")).length;
    await built("-t", "laid:2", "-o", `type=oci,tar=false,dest=${layout}`, directory);
    assert.equal(readdirSync(join(layout, "blobs", "sha256")).length, count);
  });

  test("a base of a layout, which the client reads", async () => {
    const layout = join(box.directory, "layout");
    const { digest } = JSON.parse(readFileSync(join(layout, "index.json"), "utf8")).manifests[0];
    const directory = context({ Dockerfile: ["FROM base", 'CMD ["cat", "/more"]'] });
    await built("--build-context", `base=oci-layout://${layout}@${digest}`, "-t", "onto", directory);
    assert.equal(await ok("run", "--rm", "--network", "none", "onto"), "more");
  });

  for (const type of ["oci", "tar"]) {
    test(`a client that leaves in the middle of type=${type} leaves nothing`, async () => {
      const directory = context({ Dockerfile: ["FROM busybox", "RUN head -c 15000000 /dev/urandom > /large"] });
      const args = ["build", "--progress=plain", "-o", `type=${type},dest=-`, directory];
      // Nobody reads what it writes: it is stuck there.
      const client = spawn(plugin("docker-buildx") ?? "", args, {
        env: pluginEnv(box),
        stdio: ["ignore", "pipe", "ignore"],
      });
      await once(client.stdout, "readable");
      assert.notDeepEqual(builds(), []);
      client.kill("SIGKILL");
      await eventually("nothing of it is left", () => builds().length === 0, 30_000);
      await built(
        "-o",
        join(box.directory, `after-${type}`),
        context({ Dockerfile: "FROM scratch\nCOPY Dockerfile /\n" }),
      );
    });
  }

  test("several outputs of one build, which is carried out once", async () => {
    const directory = context({ Dockerfile: ["FROM busybox", "RUN head -c 16 /dev/urandom | md5sum > /number"] });
    const [files, archive] = [join(box.directory, "of-several"), join(box.directory, "of-several.tar")];
    const outputs = [`type=local,dest=${files}`, "type=image", `type=oci,dest=${archive}`];
    const told = await built("--no-cache", "-t", "of-several", ...outputs.flatMap((one) => ["-o", one]), directory);
    assert.equal(told.match(/RUN head/g)?.length, 1, told);
    const number = readFileSync(join(files, "number"), "utf8").trim();
    assert.equal(await ok("run", "--rm", "--network", "none", "of-several", "cat", "/number"), number);
    await other.ok("load", "-i", archive);
    assert.equal(await other.ok("run", "--rm", "--network", "none", "of-several", "cat", "/number"), number);
  });

  test("annotations, of images and of their index", async () => {
    const archive = join(box.directory, "annotated.tar");
    const said = [
      "a=of all",
      "manifest[linux/arm64]:b=of one",
      "index:c=of the index",
      "manifest-descriptor:d=in the index",
    ];
    const args = said.flatMap((one) => ["--annotation", one]);
    await built("--platform", both, ...args, "-o", `type=oci,dest=${archive}`, context(several));
    const blob = (digest: string) => jsonIn(archive, `blobs/${digest.replace(":", "/")}`);
    const index = blob(jsonIn(archive, "index.json").manifests[0].digest);
    assert.deepEqual(index.annotations, { c: "of the index" });
    assert.deepEqual(index.manifests[0].annotations, { d: "in the index" });
    assert.deepEqual(blob(index.manifests[0].digest).annotations, { a: "of all" });
    assert.deepEqual(blob(index.manifests[1].digest).annotations, { a: "of all", b: "of one" });
    await refused(
      /index annotations not supported for single platform export/,
      ...args,
      "-o",
      "type=image",
      context(several),
    );
  });

  test("attributes that cannot be honoured are refused", async () => {
    mkdirSync(join(box.directory, "refused"));
    const directory = context({ Dockerfile: "FROM busybox\n" });
    const to = `dest=${join(box.directory, "refused", "x")}`;
    await refused(/compression=zstd/, "-o", `type=oci,${to},compression=zstd`, directory);
    await refused(/oci-mediatypes=false/, "-o", `type=oci,${to},oci-mediatypes=false`, directory);
  });
});

async function refusedWithout(name: string): Promise<void> {
  const { status } = await box.run(["image", "inspect", name]);
  assert.notEqual(status, 0);
}
