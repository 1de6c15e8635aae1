import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { busybox, type Compression, debian, dockerArchive, tar, writeOciLayout } from "../support/images.ts";
import { succeed } from "../support/process.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { patience, requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";
import { openTerminal } from "../support/terminal.ts";

const box = sandbox({ start: true });
const needs = requires("docker-registry", "skopeo", "debootstrap", "busybox");

async function run(image: string, ...command: string[]): Promise<string> {
  return await box.ok("run", "--rm", "--pull", "never", image, ...command);
}

suite("images made elsewhere run unchanged", needs, () => {
  let registry: Registry;

  before(async () => {
    registry = await startRegistry(join(box.directory, "registry"));
    const layout = join(box.directory, "debian");
    writeOciLayout(layout, await debian());
    await registry.push(layout, "library/debian:12");
  });

  after(() => registry.close());

  test("Debian, pulled from a registry that skopeo pushed to", async () => {
    const image = `${registry.host}/library/debian:12`;
    const said = await box.ok("pull", image);
    assert.match(said, /Digest: sha256:[0-9a-f]{64}/);
    assert.match(said, /Status: Downloaded newer image/);
    assert.match(await box.ok("pull", image), /Status: Image is up to date/);
    assert.match(await run(image, "cat", "/etc/debian_version"), /^12\./);
    assert.equal(await run(image, "bash", "-c", "dpkg -s bash | grep ^Status"), "Status: install ok installed");
    assert.equal(await run(image, "stat", "-c", "%a %U", "/tmp", "/usr/bin/passwd"), "1777 root\n4755 root");
  });

  test("a shell of it in a real terminal: line editing, Ctrl-C, window size, colours", requires("tmux"), async () => {
    const argv = [
      join(import.meta.dirname, "../../bin/sampan"),
      "run",
      "--rm",
      "-it",
      `${registry.host}/library/debian:12`,
      "bash",
    ];
    const terminal = await openTerminal(box.directory, argv, { ...box.env, TERM: "xterm-256color" });
    try {
      await terminal.shows(/root@[0-9a-f]{12}:\/# ?$/m);
      await terminal.type("cho worlX");
      await terminal.press("BSpace", "d", "C-a", "e", "C-e", "Enter");
      await terminal.shows(/^world$/m);
      await terminal.type("sh -c 'echo ru''ns; exec sleep 1000'\n");
      await terminal.shows(/^runs$/m);
      await terminal.press("C-c");
      await terminal.type("ls --color -d /usr; stty size\n");
      await terminal.shows(/24 80/);
      assert.match(await terminal.screen({ escapes: true }), /\[(0;)?(01;34|1m.\[34)m\/usr/);
      await terminal.resize(120, 40);
      await terminal.type("clear; sleep 0.5; stty size\n");
      await terminal.shows(/40 120/);
      await terminal.type("exit 0\n");
    } finally {
      await terminal.close();
    }
  });

  for (const compression of ["none", "gzip", "zstd"] satisfies Compression[]) {
    test(`an OCI layout, layers ${compression}, loaded as a tar archive`, async () => {
      const layout = join(box.directory, `busybox-${compression}`);
      writeOciLayout(layout, await busybox({ Env: [`C=${compression}`] }), {
        compression,
        tag: `local/${compression}:1`,
      });
      await succeed("tar", ["-C", layout, "-cf", `${layout}.tar`, "."]);
      assert.match(await box.ok("load", "-i", `${layout}.tar`), /Loaded image/);
      const image = `local/${compression}:1`;
      assert.equal(await run(image, "sh", "-c", "echo $C; id -u"), `${compression}\n0`);
    });
  }

  test("Debian from a docker-archive, with a layer of whiteouts on top", async () => {
    const base = await debian();
    const top = await tar([
      { name: "etc/.wh.debian_version" },
      { name: "etc/apt/.wh..wh..opq" },
      { name: "etc/apt/only", body: "here" },
    ]);
    const archive = join(box.directory, "debian.tar");
    const { writeFile } = await import("node:fs/promises");
    await writeFile(archive, await dockerArchive({ ...base, layers: [...base.layers, top] }, ["debian:top"]));
    await box.ok("load", "-i", archive);
    assert.equal(await run("debian:top", "sh", "-c", "ls /etc/debian_version 2>/dev/null; ls /etc/apt"), "only");
  });

  test("skopeo's and umoci's own images", requires("umoci", "skopeo"), async () => {
    const layout = join(box.directory, "busybox-gzip");
    const env = { PATH: process.env.PATH ?? "" };
    await succeed("umoci", ["config", "--image", `${layout}:local/gzip:1`, "--tag", "two", "--config.user", "tester"], {
      env,
    });
    const archive = join(box.directory, "umoci.tar");
    await succeed("skopeo", ["copy", "--insecure-policy", `oci:${layout}:two`, `docker-archive:${archive}:umoci:two`], {
      timeout: 60_000 * patience,
    });
    await box.ok("load", "-i", archive);
    assert.equal(await run("umoci:two", "id", "-un"), "tester");
  });
});
