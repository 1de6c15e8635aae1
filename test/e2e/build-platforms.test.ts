import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { buildContext } from "../support/builds.ts";
import { succeed } from "../support/process.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

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

  test("several at once are refused, with what is to be done instead", async () => {
    const context = buildContext(box, files);
    const { status, stderr } = await box.run(["build", "--platform", "linux/amd64,linux/arm64", context]);
    assert.notEqual(status, 0);
    assert.match(stderr, /Cannot build for linux\/amd64,linux\/arm64 at once: .*sampan manifest create/);
  });
});
