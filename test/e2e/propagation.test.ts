import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { dockerOf } from "../support/docker.ts";
import { busybox, dockerArchive } from "../support/images.ts";
import { succeed } from "../support/process.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });
const { ok, refused } = dockerOf(box);

suite("propagation of mounts", { ...requires("docker", "busybox"), ...requiresRoot() }, () => {
  const shared = join(box.directory, "shared");
  const inside = (name: string) => join(shared, name);

  before(async () => {
    const { status, stderr } = await box.run(["load"], { input: await dockerArchive(await busybox(), ["busybox"]) });
    assert.equal(status, 0, stderr);
    mkdirSync(shared);
    await succeed("mount", ["-t", "tmpfs", "tmpfs", shared]);
    await succeed("mount", ["--make-shared", shared]);
    for (const name of ["later", "theirs"]) mkdirSync(inside(name));
  });
  after(() => succeed("umount", ["-R", shared]));

  const start = (name: string, ...options: string[]) =>
    ok("run", "-d", "--name", name, "--cap-add", "SYS_ADMIN", ...options, "busybox", "sleep", "1000");

  test("what is mounted later comes into containers that follow, and into no others", async () => {
    await start("private", "-v", `${shared}:/data`);
    await start("slave", "-v", `${shared}:/data:rslave`);
    await start("mounted", "--mount", `type=bind,src=${shared},dst=/data,bind-propagation=rslave`);
    await start("shared", "-v", `${shared}:/data:rshared`);
    assert.match(await ok("inspect", "-f", "{{range .Mounts}}{{.Propagation}}{{end}}", "private"), /^rprivate$/);
    assert.match(await ok("inspect", "-f", "{{range .Mounts}}{{.Propagation}}{{end}}", "mounted"), /^rslave$/);
    await succeed("mount", ["-t", "tmpfs", "tmpfs", inside("later")]);
    writeFileSync(inside("later/file"), "here\n");
    for (const name of ["slave", "mounted", "shared"]) {
      assert.equal(await ok("exec", name, "cat", "/data/later/file"), "here", name);
    }
    await refused(/No such file/, "exec", "private", "cat", "/data/later/file");
    await succeed("umount", [inside("later")]);
    await refused(/No such file/, "exec", "slave", "cat", "/data/later/file");
  });

  test("what a container mounts is seen outside only where that is shared", async () => {
    for (const [name, seen] of [
      ["slave", ""],
      ["shared", "theirs"],
    ] as const) {
      await ok("exec", name, "mount", "-t", "tmpfs", "tmpfs", "/data/theirs");
      const found = (await succeed("cat", ["/proc/self/mountinfo"])).includes(` ${inside("theirs")} `) ? "theirs" : "";
      assert.equal(found, seen, name);
      await ok("exec", name, "umount", "/data/theirs");
    }
    await ok("rm", "-f", "private", "slave", "mounted", "shared");
  });

  test("what is not shared cannot be: in dockerd's words", async () => {
    await succeed("mount", ["--make-private", shared]);
    for (const how of ["rshared", "shared", "rslave", "slave"]) {
      const why = new RegExp(`path ${shared} is mounted on ${shared} but it is not a shared( or slave)? mount`);
      await refused(why, "run", "--rm", "-v", `${shared}:/data:${how}`, "busybox", "true");
    }
    await refused(/invalid/, "run", "--rm", "-v", `${shared}:/data:rfoo`, "busybox", "true");
  });
});
