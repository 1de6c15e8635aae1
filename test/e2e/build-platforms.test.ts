import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { hostPlatform } from "../../src/images/platform.ts";
import { digestOf } from "../../src/storage/digest.ts";
import { buildContext } from "../support/builds.ts";
import { busybox } from "../support/images.ts";
import { succeed } from "../support/process.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });
/** Another machine. */
const other = sandbox({ start: true });

/** What an image is for. */
const architecture = async (image: string, ...options: string[]) =>
  (await box.ok("image", "inspect", ...options, "--format", "{{.Architecture}}", image)).trim();

/** The ELF header (64 bit, little endian) of a program that is for a processor; elf(5). */
function emptyProgram(architecture: "amd64" | "arm64"): Buffer {
  const header = Buffer.alloc(64 + 56);
  header.write("\x7fELF\x02\x01\x01", "latin1");
  header.writeUInt16LE(2, 16); // ET_EXEC
  header.writeUInt16LE(architecture === "arm64" ? 183 : 62, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(64n, 32); // the program headers: one, of nothing
  for (const [at, value] of [
    [52, 64],
    [54, 56],
    [56, 1],
  ] as const)
    header.writeUInt16LE(value, at);
  return header;
}

const both = "linux/amd64,linux/arm64";
const lines = ["FROM scratch", "ARG TARGETARCH", "COPY $TARGETARCH /file"];
const files = { Dockerfile: lines, amd64: "for amd64", arm64: "for arm64" };

suite("builds for several platforms", requires("docker-registry", "skopeo"), () => {
  let registry: Registry;
  before(async () => {
    registry = await startRegistry(join(box.directory, "registry"));
  });
  after(() => registry?.close());

  test("built and pushed one by one, joined under one name, and read by skopeo", async () => {
    const context = buildContext(box, files);
    const name = `${registry.host}/several:1`;
    const parts = ["amd64", "arm64"].map((arch) => `${name}-${arch}`);
    for (const arch of ["amd64", "arm64"]) {
      await box.ok("build", "-q", "--platform", `linux/${arch}`, "-t", `${name}-${arch}`, "--push", context);
    }
    await box.ok("manifest", "create", name, ...parts);
    await box.ok("manifest", "push", name);
    for (const arch of ["amd64", "arm64"]) {
      const inspect = ["--override-arch", arch, "inspect", "--tls-verify=false", `docker://${name}`];
      assert.equal(JSON.parse(await succeed("skopeo", inspect)).Architecture, arch);
    }
    await box.ok("pull", "--platform", "linux/arm64", name);
    assert.equal((await box.ok("image", "inspect", "--format", "{{.Architecture}}", name)).trim(), "arm64");
  });

  test("of one build: an index with an image for each, listed once, pushed whole and read by skopeo", async () => {
    const name = `${registry.host}/index:1`;
    const [iidfile, metadata] = [join(box.directory, "iid"), join(box.directory, "metadata")];
    const told = ["--iidfile", iidfile, "--metadata-file", metadata];
    await box.ok("build", "-q", "--platform", both, "-t", name, ...told, buildContext(box, files));

    const digest = readFileSync(iidfile, "utf8");
    assert.deepEqual(JSON.parse(readFileSync(metadata, "utf8")), {
      "containerimage.digest": digest,
      "image.name": name,
    });
    const rows = (await box.ok("images", "--format", "{{.Repository}}:{{.Tag}}")).trim().split("\n");
    assert.equal(rows.filter((row) => row === name).length, 1);
    assert.ok(!rows.includes("<none>:<none>"), rows.join(" "));
    for (const arch of ["amd64", "arm64"]) {
      for (const image of [name, digest])
        assert.equal(await architecture(image, "--platform", `linux/${arch}`), arch, image);
    }
    assert.equal(await architecture(name), hostPlatform().architecture);
    assert.match(await box.ok("images", "--tree"), /├─ linux\/amd64 .*\n└─ linux\/arm64 /);

    await box.ok("push", name);
    const raw = await succeed("skopeo", ["inspect", "--raw", "--tls-verify=false", `docker://${name}`]);
    assert.equal(digestOf(raw), digest);
    assert.deepEqual(
      JSON.parse(raw).manifests.map(({ platform }: { platform: object }) => platform),
      ["amd64", "arm64"].map((arch) => ({ architecture: arch, os: "linux" })),
    );
    for (const arch of ["amd64", "arm64"]) {
      const layout = join(box.directory, `pulled-${arch}`);
      const copy = ["--override-arch", arch, "copy", "--src-tls-verify=false", `docker://${name}`, `dir:${layout}`];
      await succeed("skopeo", copy);
    }
  });

  test("pushed with other layers: an index of the new manifests, which every platform is pulled by", async () => {
    const name = `${registry.host}/squeezed:1`;
    const shared = [...lines, "COPY both /both"];
    const context = buildContext(box, { ...files, Dockerfile: shared, both: "x".repeat(100_000) });
    await box.ok("build", "-q", "--platform", both, "-t", name, context);
    const get = async (digest?: string) => {
      const reference = digest === undefined ? name : `${registry.host}/squeezed@${digest}`;
      const text = await succeed("skopeo", ["inspect", "--raw", "--tls-verify=false", `docker://${reference}`]);
      return { digest: digestOf(text), document: JSON.parse(text) };
    };
    const pushed = async (compression?: string) => {
      const told = await box.ok("push", ...(compression === undefined ? [] : ["--compression", compression]), name);
      const { digest, document } = await get();
      const children = await Promise.all(document.manifests.map((entry: { digest: string }) => get(entry.digest)));
      return { told, digest, index: document, manifests: children.map((child) => child.document) };
    };
    const plain = await pushed();
    assert.equal((await pushed("gzip")).digest, plain.digest, "layers that are gzip already make no other image");
    for (const [compression, type] of [
      ["zstd", "+zstd"],
      ["none", ""],
    ] as const) {
      const { index, digest, told, manifests } = await pushed(compression);
      assert.notEqual(digest, plain.digest);
      assert.ok(told.includes(digest), told);
      const platforms = (of: typeof index) => of.manifests.map(({ platform }: { platform: object }) => platform);
      assert.deepEqual(platforms(index), platforms(plain.index));
      for (const [place, { layers, config }] of manifests.entries()) {
        for (const { mediaType } of layers) assert.equal(mediaType, `application/vnd.oci.image.layer.v1.tar${type}`);
        assert.deepEqual(config, plain.manifests[place].config);
      }
      // What both have in common is compressed once, and is one blob.
      assert.equal(manifests[0].layers[1].digest, manifests[1].layers[1].digest);
      await other.run(["rmi", "-f", name]);
      for (const arch of ["amd64", "arm64"]) {
        await other.ok("pull", "-q", "--platform", `linux/${arch}`, name);
        const file = join(other.directory, `file-${compression}-${arch}`);
        const made = await other.ok("create", "--platform", `linux/${arch}`, "--network", "none", name, "x");
        await other.ok("cp", `${made.trim()}:/file`, file);
        assert.equal(readFileSync(file, "utf8"), `for ${arch}`);
        await other.ok("rm", made.trim());
      }
    }
    assert.equal((await pushed()).digest, plain.digest, "what is here has stayed as it is");
  });

  test("pushed for one platform: its manifest alone", async () => {
    const name = `${registry.host}/one:1`;
    await box.ok("build", "-q", "--platform", both, "-t", name, buildContext(box, files));
    await box.ok("push", "--platform", "linux/arm64", name);
    const inspect = ["inspect", "--raw", "--tls-verify=false", `docker://${name}`];
    assert.ok("layers" in JSON.parse(await succeed("skopeo", inspect)));
  });

  test("a name built for one platform again is that image; the index stays with its other name", async () => {
    const context = buildContext(box, files);
    await box.ok("build", "-q", "--platform", both, "-t", `${registry.host}/a`, context);
    await box.ok("tag", `${registry.host}/a`, `${registry.host}/b`);
    await box.ok("build", "-q", "--platform", "linux/amd64", "-t", `${registry.host}/a`, context);
    await box.ok("push", "-q", `${registry.host}/a`);
    await box.ok("push", "-q", `${registry.host}/b`);
    const kind = async (name: string) =>
      Object.keys(JSON.parse(await succeed("skopeo", ["inspect", "--raw", "--tls-verify=false", `docker://${name}`])));
    assert.ok((await kind(`${registry.host}/a`)).includes("layers"));
    assert.ok((await kind(`${registry.host}/b`)).includes("manifests"));
  });

  test("base images of a registry: one for each platform, and the name stays with this machine's", async () => {
    const base = `${registry.host}/base:1`;
    await box.ok("build", "-q", "--platform", both, "-t", base, "--push", buildContext(box, files));
    await box.ok("rmi", base);
    await box.ok("builder", "prune", "-af");
    const derived = buildContext(box, { Dockerfile: [`FROM ${base}`, "LABEL derived=yes"] });
    const dest = join(box.directory, "derived");
    // The second time nothing is asked of the registry.
    for (const end of [async () => {}, () => registry.close()]) {
      await box.ok("build", "-q", "--platform", both, "-o", dest, derived);
      for (const arch of ["amd64", "arm64"])
        assert.equal(readFileSync(join(dest, `linux_${arch}`, "file"), "utf8"), `for ${arch}`);
      assert.equal(await architecture(base), hostPlatform().architecture);
      await end();
    }
  });
});

suite("what several platforms share", requires("busybox", "skopeo"), () => {
  before(async () => {
    await box.load(await busybox(), "busybox:latest");
  });

  test("a stage for the build's own machine is carried out once, one for the target as often as there are targets", async () => {
    const context = buildContext(box, {
      Dockerfile: [
        "FROM --platform=$BUILDPLATFORM busybox AS common",
        "RUN head -c 16 /dev/urandom | od -An -tx1 >/number && echo for $BUILDPLATFORM >/built",
        "FROM --platform=$BUILDPLATFORM busybox AS cross",
        "ARG TARGETPLATFORM TARGETARCH TARGETVARIANT BUILDARCH",
        "RUN echo $BUILDARCH makes $TARGETPLATFORM $TARGETARCH$TARGETVARIANT >/made",
        "FROM scratch",
        "COPY --from=common /number /number",
        "COPY --from=cross /made /made",
      ],
    });
    const platforms = "linux/amd64,linux/arm64,linux/arm/v7";
    const { status, stderr } = await box.run([
      "build",
      "--progress",
      "plain",
      "--platform",
      platforms,
      "-t",
      "s",
      context,
    ]);
    assert.equal(status, 0, stderr);
    const steps = (text: RegExp) => new Set([...stderr.matchAll(text)].map(([, id]) => id)).size;
    assert.equal(steps(/^#(\d+) .*\] RUN head/gm), 1, stderr);
    assert.equal(steps(/^#(\d+) .*\] RUN echo \$BUILDARCH/gm), 3, stderr);
    const { architecture: host } = hostPlatform();
    assert.match(stderr, new RegExp(`\\[linux/${host}->arm/v7 cross 2/2\\] RUN echo`));

    const dest = join(box.directory, "shared");
    await box.ok("build", "-q", "--platform", platforms, "-o", dest, context);
    assert.deepEqual(readdirSync(dest).sort(), ["linux_amd64", "linux_arm64", "linux_arm_v7"]);
    const content = (platform: string, name: string) => readFileSync(join(dest, platform, name), "utf8");
    assert.equal(content("linux_arm64", "number"), content("linux_amd64", "number"));
    assert.equal(content("linux_arm_v7", "number"), content("linux_amd64", "number"));
    assert.equal(content("linux_arm64", "made"), `${host} makes linux/arm64 arm64\n`);
    assert.equal(content("linux_arm_v7", "made"), `${host} makes linux/arm/v7 armv7\n`);

    const tar = join(box.directory, "shared.tar");
    await box.ok("build", "-q", "--platform", platforms, "-o", `type=tar,dest=${tar}`, context);
    const names = (await succeed("tar", ["-tf", tar])).trim().split("\n");
    for (const name of ["linux_amd64/", "linux_arm64/made", "linux_arm_v7/number"])
      assert.ok(names.includes(name), name);
  });

  test("run takes the machine's own image, whichever order they were asked for in", async () => {
    const { architecture: host } = hostPlatform();
    const other = host === "amd64" ? "arm64" : "amd64";
    const context = buildContext(box, {
      Dockerfile: [
        "FROM --platform=$BUILDPLATFORM busybox AS b",
        "FROM scratch",
        "ARG TARGETARCH",
        "COPY --from=b / /",
        "ENV FOR=$TARGETARCH",
      ],
    });
    await box.ok("build", "-q", "--platform", `linux/${other},linux/${host}`, "-t", "own", context);
    const run = ["run", "--rm", "--network", "none"];
    assert.equal((await box.ok(...run, "own", "sh", "-c", "echo $FOR")).trim(), host);
    assert.equal((await box.ok(...run, "--platform", `linux/${other}`, "own", "sh", "-c", "echo $FOR")).trim(), other);
  });

  test("removed with the name, all of it", async () => {
    const before = await box.ok("images", "-aq");
    await box.ok(
      "build",
      "-q",
      "--platform",
      both,
      "-t",
      "gone",
      buildContext(box, { Dockerfile: ["FROM scratch", "LABEL only=here"] }),
    );
    await box.ok("rmi", "gone");
    assert.equal(await box.ok("images", "-aq"), before);
  });

  test("removed for one platform: the others stay; not the one that has the name", async () => {
    const { architecture: host } = hostPlatform();
    const other = host === "amd64" ? "arm64" : "amd64";
    const context = buildContext(box, { Dockerfile: ["FROM scratch", "LABEL some=stay"] });
    await box.ok("build", "-q", "--platform", both, "-t", "partly", context);
    const refused = /Cannot remove only linux\/\w+ of partly: it stands for the index, and the others go with it/;
    await box.fails({ status: 1, stderr: refused }, "rmi", "--platform", `linux/${host}`, "partly");
    await box.ok("rmi", "--platform", `linux/${other}`, "partly");
    assert.equal(await architecture("partly"), host);
    await box.fails(
      { status: 1, stderr: /does not match the specified platform/ },
      "image",
      "inspect",
      "--platform",
      `linux/${other}`,
      "partly",
    );
  });

  test("saved whole, as an archive and as a layout that skopeo reads", async () => {
    const context = buildContext(box, files);
    const [tar, layout] = [join(box.directory, "oci.tar"), join(box.directory, "oci")];
    await box.ok("build", "-q", "--platform", both, "-o", `type=oci,dest=${tar}`, context);
    await box.ok("build", "-q", "--platform", both, "-t", "x:1", "-o", `type=oci,tar=false,dest=${layout}`, context);
    for (const arch of ["amd64", "arm64"]) {
      for (const from of [`oci-archive:${tar}`, `oci:${layout}`]) {
        const inspect = ["--override-arch", arch, "inspect", "--config", from];
        assert.equal(JSON.parse(await succeed("skopeo", inspect)).architecture, arch, from);
      }
    }
    // It is the same again where it is loaded, of both kinds of archives.
    const digest = JSON.parse(readFileSync(join(layout, "index.json"), "utf8")).manifests[0].digest;
    await box.ok("save", "-o", `${tar}.both`, "x:1");
    for (const archive of [tar, `${tar}.both`]) {
      await box.ok("rmi", "x:1");
      if (archive === tar) await box.ok("image", "prune", "-f");
      assert.match(await box.ok("load", "-i", archive), /^Loaded image/);
      for (const arch of ["amd64", "arm64"])
        assert.equal(await architecture(digest, "--platform", `linux/${arch}`), arch, archive);
      if (archive === tar) await box.ok("tag", digest, "x:1");
    }
    await box.ok("save", "--platform", "linux/arm64", "-o", `${tar}.arm64`, "x:1");
    const config = ["--override-arch", "arm64", "inspect", "--config", `oci-archive:${tar}.arm64`];
    assert.equal(JSON.parse(await succeed("skopeo", config)).architecture, "arm64");
  });

  test("RUN for a machine that nobody can play here is refused, and says what can be done", async () => {
    const foreign = hostPlatform().architecture === "amd64" ? "arm64" : "amd64";
    const context = buildContext(box, { Dockerfile: ["FROM scratch", "COPY sh /bin/sh", "RUN true"] });
    writeFileSync(join(context, "sh"), emptyProgram(foreign), { mode: 0o755 });
    const { status, stderr } = await box.run(["build", "--platform", `linux/${foreign}`, context]);
    assert.equal(status, 1, stderr);
    const what = new RegExp(
      `Dockerfile:3:1: Cannot run a program for linux/${foreign} on this machine, which is linux/`,
    );
    assert.match(stderr, what);
    assert.match(
      stderr,
      /binfmt_misc knows no interpreter for it; install one \(qemu-user-static\), or run the command in/,
    );
  });

  test("docker's own request makes one image; it says so", async () => {
    const { status, text } = await box.api("POST", `/v1.47/build?platform=${encodeURIComponent(both)}`);
    assert.equal(status, 400);
    assert.match(text, /Cannot build for linux\/amd64,linux\/arm64 at once: this request makes one image/);
  });
});
