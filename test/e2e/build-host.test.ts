import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { buildContext } from "../support/builds.ts";
import { busybox } from "../support/images.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

suite("sampan/host in builds", requires("busybox", "tar"), () => {
  // Outside of /tmp, which is hidden.
  const directory = mkdtempSync("/var/lib/sampan-test-build-host-");
  after(() => rmSync(directory, { recursive: true }));
  before(async () => box.load(await busybox(), "busybox:latest"));

  const build = (lines: readonly string[], ...args: string[]) => {
    const context = buildContext(box, { Dockerfile: lines });
    return box.run(["build", "--progress", "plain", ...args, context]);
  };

  async function refused(lines: readonly string[], reason: RegExp, ...args: string[]): Promise<void> {
    const { status, stderr } = await build(lines, "--allow", "files.host", ...args);
    assert.notEqual(status, 0, lines.join("; "));
    assert.match(stderr, reason);
  }

  test("its files are copied, by name and by stage, with their modes", async () => {
    writeFileSync(join(directory, "file"), "of the machine\n", { mode: 0o640 });
    const lines = [
      "FROM sampan/host AS machine",
      "FROM busybox",
      `COPY --from=machine ${directory}/file /by-stage`,
      `COPY --from=sampan/host ${directory} /directory/`,
      "COPY --from=sampan/host /bin/busybox /copied",
    ];
    const { status, stderr } = await build(lines, "--allow", "files.host", "-t", "made");
    assert.equal(status, 0, stderr);
    const { stdout } = await box.run([
      "run",
      "--rm",
      "--network",
      "none",
      "made",
      "cat",
      "/by-stage",
      "/directory/file",
    ]);
    assert.equal(stdout, "of the machine\nof the machine\n");
    const file = join(box.directory, "made.tar");
    const local = await build(lines, "--allow", "files.host", "-o", `type=tar,dest=${file}`);
    assert.equal(local.status, 0, local.stderr);
    assert.match(execFileSync("tar", ["-tvf", file, "by-stage"]).toString(), /^-rw-r-----/);
    const copied = execFileSync("tar", ["-xOf", file, "copied"], { maxBuffer: 1 << 26 });
    const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
    assert.equal(digest(copied), digest(readFileSync("/bin/busybox")));
  });

  test("a changed file is copied anew, an unchanged one is not", async () => {
    const lines = ["FROM busybox", `COPY --from=sampan/host ${directory}/changing /file`, "RUN cat /file"];
    const path = join(directory, "changing");
    writeFileSync(path, "one\n");
    assert.match((await build(lines, "--allow", "files.host")).stderr, /one/);
    assert.equal((await build(lines, "--allow", "files.host")).stderr.match(/CACHED/g)?.length, 2);
    writeFileSync(path, "two\n");
    assert.match((await build(lines, "--allow", "files.host")).stderr, /two/);
    const pulled = await build(
      ["FROM sampan/host AS m", "FROM scratch", "COPY --from=m /etc/passwd /"],
      "--allow",
      "files.host",
      "--pull",
    );
    assert.equal(pulled.status, 0, pulled.stderr);
  });

  test("the build must allow it, by whatever name it is reached", async () => {
    const lines = ["FROM scratch", "COPY --from=sampan/host /etc/passwd /"];
    const { status, stderr } = await build(lines);
    assert.notEqual(status, 0);
    assert.match(stderr, /Dockerfile:2:1: files\.host is not allowed.*--allow files\.host/);
    const id = (await box.ok("image", "inspect", "--format", "{{.Id}}", "sampan/host")).trim();
    for (const name of [id, id.slice("sha256:".length, 20), "docker.io/sampan/host:latest"]) {
      const other = await build(["FROM scratch", `COPY --from=${name} /etc/passwd /`]);
      assert.notEqual(other.status, 0, name);
      assert.match(other.stderr, /which a build calls sampan\/host|files\.host is not allowed/, name);
    }
    const named = await build(
      ["FROM scratch", "COPY --from=x /etc/passwd /"],
      "--build-context",
      "x=docker-image://sampan/host",
    );
    assert.match(named.stderr, /files\.host is not allowed/);
  });

  test("what is hidden is not there", async () => {
    for (const hidden of [box.layout.layers, "/proc/self"]) {
      const lines = ["FROM scratch", `COPY --from=sampan/host ${hidden} /`];
      await refused(lines, /not found|no such file/i);
    }
  });

  test("nothing is put on it, made of it, mounted of it or taken for another architecture", async () => {
    await refused(["FROM sampan/host", "RUN true"], /Dockerfile:2:1: no layer can be put on sampan\/host: /);
    await refused(["FROM sampan/host", "COPY Dockerfile /"], /Dockerfile:2:1: no layer can be put on sampan\/host: /);
    await refused(["FROM sampan/host", "ENV A=b"], /Cannot make an image of sampan\/host: it is this machine/);
    await refused(["FROM sampan/host"], /Cannot make an image of sampan\/host/, "-o", "type=tar,dest=-");
    const mount = "RUN --mount=from=sampan/host,target=/mnt true";
    await refused(["FROM busybox", mount], /Dockerfile:2:1: sampan\/host cannot be mounted: /);
    const other = process.arch === "x64" ? "linux/arm64" : "linux/amd64";
    const copy = ["FROM scratch", "COPY --from=sampan/host /etc/passwd /"];
    await refused(copy, new RegExp(`Cannot use the files of sampan/host for ${other}`), "--platform", other);
  });
});
