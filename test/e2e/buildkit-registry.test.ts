import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { buildContext } from "../support/builds.ts";
import { buildx, buildxOf, pushesByDaemon, requiresPlugins } from "../support/buildx.ts";
import { dockerOf } from "../support/docker.ts";
import { busybox } from "../support/images.ts";
import { succeed } from "../support/process.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { requires } from "../support/requires.ts";
import { type Sandbox, sandbox } from "../support/sandbox.ts";

/** Two machines that have a registry in common, which wants to know who comes. */
const box = sandbox({ start: true });
const other = sandbox({ start: true });
const { ok } = dockerOf(box);
const { built, refused } = buildxOf(box);
const context = (files: Parameters<typeof buildContext>[1]) => buildContext(box, files);

/** What `docker login` writes. */
function login({ directory }: Sandbox, host: string, password: string): void {
  mkdirSync(join(directory, "docker"), { recursive: true });
  const auth = Buffer.from(`user:${password}`).toString("base64");
  writeFileSync(join(directory, "docker", "config.json"), JSON.stringify({ auths: { [host]: { auth } } }));
}

const cachedIn = (told: string) => told.match(/^#\d+ CACHED$/gm)?.length ?? 0;

suite("buildx with a registry that asks who it is", {
  ...requiresPlugins("docker-buildx"),
  ...requires("docker-registry", "skopeo", "htpasswd"),
}, () => {
  let registry: Registry;
  const remote = async (name: string, ...args: string[]) =>
    JSON.parse(
      await succeed("skopeo", ["inspect", "--tls-verify=false", "--creds=user:right", ...args, `docker://${name}`]),
    );

  before(async () => {
    await Promise.all([box, other].map(async (one) => one.load(await busybox(), "busybox:latest")));
    const file = join(box.directory, "htpasswd");
    writeFileSync(file, await succeed("htpasswd", ["-Bbn", "user", "right"]));
    const guard = `auth: { htpasswd: { realm: test, path: ${file} } }\n`;
    registry = await startRegistry(join(box.directory, "registry"), guard);
    for (const one of [box, other]) login(one, registry.host, "right");
  });
  after(() => registry?.close());

  test("--push: under all names, with the client's credentials", async () => {
    const metadata = join(box.directory, "metadata");
    const [first, second] = [`${registry.host}/team/app:1`, `${registry.host}/team/app:2`];
    const directory = context({ Dockerfile: ["FROM busybox", "RUN echo pushed > /it"] });
    await built("-t", first, "-t", second, "--push", "--metadata-file", metadata, directory);
    const told = JSON.parse(readFileSync(metadata, "utf8"));
    assert.equal((await remote(first)).Digest, told["containerimage.digest"]);
    assert.equal((await remote(second)).Digest, told["containerimage.digest"]);
    assert.equal(told["image.name"], `${first},${second}`);
    assert.equal(await ok("run", "--rm", "--network", "none", first, "cat", "/it"), "pushed");
  });

  test("a private image is a base, and another machine builds onto it", async () => {
    const directory = context({ Dockerfile: `FROM ${registry.host}/team/app:1\nRUN cat /it > /copy\n` });
    const { status, stderr } = await buildx(other, ["-t", "onto", directory]);
    assert.equal(status, 0, stderr);
    assert.equal(await other.ok("run", "--rm", "--network", "none", "onto", "cat", "/copy"), "pushed");
  });

  test("several platforms are pushed as one index", async () => {
    const name = `${registry.host}/team/several:1`;
    const files = { Dockerfile: ["FROM scratch", "ARG TARGETARCH", "COPY $TARGETARCH /"], amd64: "a", arm64: "b" };
    await built("--platform", "linux/amd64,linux/arm64", "-t", name, "--push", context(files));
    for (const arch of ["amd64", "arm64"]) {
      assert.equal((await remote(name, "--override-arch", arch)).Architecture, arch);
    }
  });

  test("layers of another compression", async () => {
    const name = `${registry.host}/team/zstd:1`;
    const output = `type=image,name=${name},push=true,compression=zstd,force-compression=true`;
    await built("-o", output, context({ Dockerfile: "FROM busybox\nRUN echo small > /it\n" }));
    if (!pushesByDaemon()) return;
    const raw = await remote(name, "--raw");
    assert.deepEqual(
      raw.layers.map(({ mediaType }: { mediaType: string }) => mediaType),
      Array(2).fill("application/vnd.oci.image.layer.v1.tar+zstd"),
    );
  });

  test("the cache travels by the registry, with the client's credentials", async () => {
    const ref = `${registry.host}/team/cache:main`;
    const directory = context({ Dockerfile: ["FROM busybox", "RUN head -c 9 /dev/urandom | md5sum > /number"] });
    const to = `type=registry,ref=${ref},mode=max,image-manifest=true,oci-mediatypes=true`;
    assert.match(await built("-t", "number", "--cache-to", to, directory), /exporting cache to/);
    const { status, stderr } = await buildx(other, [
      "-t",
      "number",
      "--cache-from",
      `type=registry,ref=${ref}`,
      directory,
    ]);
    assert.equal(status, 0, stderr);
    assert.equal(cachedIn(stderr), 1, stderr);
    const number = ["run", "--rm", "--network", "none", "number", "cat", "/number"];
    assert.equal((await other.ok(...number)).trim(), await ok(...number));
  });

  test("other credentials, or none, and nothing is pushed or pulled", async () => {
    login(box, registry.host, "wrong");
    const name = `${registry.host}/team/app:3`;
    await refused(/unauthorized|denied/, "-t", name, "--push", context({ Dockerfile: "FROM busybox\n" }));
    await ok("rmi", `${registry.host}/team/app:1`, `${registry.host}/team/app:2`);
    await refused(/unauthorized|denied/, context({ Dockerfile: `FROM ${registry.host}/team/app:1\n` }));
    login(box, registry.host, "right");
    await assert.rejects(remote(name));
  });
});
