import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { eventually, succeed } from "../support/process.ts";
import { lackOfProjectQuotas, type QuotaDisk, type QuotaFileSystem, quotaDisk } from "../support/quota-disk.ts";
import { requires, requiresKernel, requiresRoot } from "../support/requires.ts";
import { type Sandbox, sandbox } from "../support/sandbox.ts";

const lack = await lackOfProjectQuotas();
const needed = { ...requires("mkfs.xfs", "mkfs.ext4", "xfs_quota", "unshare", "busybox", "cc"), ...requiresRoot() };
const full = /no space left on device|disk quota exceeded|ENOSPC|EDQUOT/i;
const mebibyte = 1024 * 1024;
/** Kibibytes that the container's root file system has. */
const capacity = "df -kP / | awk 'NR == 2 { print $2 }'";
const fill = (mebibytes: number) => `dd if=/dev/zero of=/big bs=1M count=${mebibytes}`;
const limit = (size: string) => ["--storage-opt", `size=${size}`];

for (const type of ["xfs", "ext4"] as const) {
  suite(`limits of writable layers on ${type}`, { ...needed, ...requiresKernel(lack) }, () => {
    const { box, disk } = limits(type);
    if (type === "xfs") lives(box, disk);
  });
}

/** What differs between file systems. */
function limits(type: QuotaFileSystem): { box: Sandbox; disk: QuotaDisk } {
  const box = sandbox();
  const disk = quotaDisk(box, type);

  test("df shows the limit, writing beyond it fails, and others have none", async () => {
    assert.equal(
      await box.ok("run", "--rm", "--storage-opt", "size=20m", "small", "sh", "-c", capacity),
      `${20 * 1024}`,
    );
    await box.fails(
      { status: 1, stderr: full },
      "run",
      "--name",
      "full",
      ...limit("20m"),
      "small",
      "sh",
      "-c",
      fill(30),
    );
    assert.equal(await box.ok("inspect", "--format", "{{json .HostConfig.StorageOpt}}", "full"), '{"size":"20m"}');
    const written = Number(await box.ok("inspect", "--size", "--format", "{{.SizeRw}}", "full"));
    assert.ok(written > 18 * mebibyte && written <= 20 * mebibyte, `${written} bytes`);
    const free = `${capacity}; ${fill(30)} 2>/dev/null && wc -c </big`;
    const [whole, size] = (await box.ok("run", "--rm", "small", "sh", "-c", free)).split("\n");
    assert.ok(Number(whole) > 300 * 1024, `${whole} KiB`);
    assert.equal(Number(size), 30 * mebibyte);
  });

  test("a full container is started, copied from, listed, committed and exported; what is made of it has no limit", async () => {
    await box.fails({ status: 1, stderr: full }, "start", "-a", "full");
    assert.equal(await box.ok("diff", "full"), "A /big");
    await box.ok("commit", "full", "copy");
    await box.ok("cp", "full:/big", join(box.directory, "big"));
    await box.ok("export", "-o", join(box.directory, "exported.tar"), "full");
    const grow = `${fill(30).replace("/big", "/more")} 2>/dev/null && wc -c </more`;
    assert.equal(await box.ok("run", "--rm", "copy", "sh", "-c", grow), `${30 * mebibyte}`);
    writeFileSync(join(box.directory, "large"), randomBytes(5 * mebibyte));
    await box.fails({ status: 1, stderr: full }, "cp", join(box.directory, "large"), "full:/large");
    await box.ok("rm", "full");
    await box.ok("rmi", "copy");
  });

  test("files are moved, linked, replaced and copied up as everywhere", async () => {
    const script = `set -e
mkdir /a /a/b /c; echo 1 >/a/b/f; mv /a/b/f /c/f; ln /c/f /a/l; mv /a /d; ln -s /d/l /s; rm -r /c; cat /s
echo changed >>/etc/passwd; mv /etc/passwd /etc/p; mkdir /etc/new; mv /etc/p /etc/new/; cp -a /etc /e; rm -rf /e /d; mkdir /d; ls -A /d`;
    assert.equal(await box.ok("run", "--rm", ...limit("5m"), "small", "sh", "-c", script), "1");
  });

  test("root in the container cannot take a file or a directory out of the limit", async () => {
    const binary = join(box.directory, "leave-project");
    await succeed("cc", ["-O1", "-static", "-o", binary, join(import.meta.dirname, "../support/leave-project.c")]);
    const attempt = async (...options: string[]) => {
      const script = ["sh", "-c", "mkdir /d; touch /d/f; for path in /d /d/f; do /leave-project $path; done"];
      const id = await box.ok("create", "--storage-opt", "size=5m", ...options, "small", ...script);
      await box.ok("cp", binary, `${id}:/leave-project`);
      const said = await box.ok("start", "-a", id);
      await box.ok("rm", id);
      return said.split("\n");
    };
    const refused = ["flags: Operation not supported", "attributes: Operation not supported"];
    assert.deepEqual(await attempt(), [...refused, ...refused]);
    // Nothing else would stop it.
    const free = await attempt("--security-opt", "seccomp=unconfined");
    assert.deepEqual(
      free.filter((line) => line.startsWith("attributes")),
      ["attributes: left", "attributes: left"],
    );
  });
  return { box, disk };
}

/** What is Sampan's own doing. */
function lives(box: Sandbox, disk: QuotaDisk): void {
  test("every container has a project of its own, which is given back, and daemons may die meanwhile", async () => {
    assert.deepEqual(await disk.projects(), []);
    const names = ["one", "two", "three"];
    for (const [at, name] of names.entries())
      await box.ok("run", "-d", "--name", name, ...limit(`${at + 5}m`), "small", "sleep", "1000");
    const before = await disk.projects();
    assert.deepEqual(
      before.map((project) => project.limit).toSorted((a, b) => a - b),
      [5, 6, 7].map((size) => size * 1024),
    );
    assert.equal(new Set(before.map(({ id }) => id)).size, 3);
    await box.ok("rm", "-f", "two");
    await eventually("the limit is gone", async () => (await disk.projects()).length === 2);
    await box.crash();
    await box.ok("run", "-d", "--name", "four", ...limit("8m"), "small", "sleep", "1000");
    const after = await disk.projects();
    assert.equal(new Set(after.map(({ id }) => id)).size, 3);
    assert.deepEqual(
      after.map((project) => project.limit).toSorted((a, b) => a - b),
      [5, 7, 8].map((size) => size * 1024),
    );
    assert.equal(await box.ok("exec", "three", "sh", "-c", capacity), `${7 * 1024}`);
    const removing = box.run(["rm", "-f", "one", "three", "four"]);
    await box.stop("SIGKILL");
    await removing;
    await box.clear();
    await eventually("their files are gone", async () => (await disk.projects()).every(({ files }) => files === 0));
    // The next to want one clears up first.
    await box.stop("SIGKILL");
    await box.ok("run", "--rm", ...limit("9m"), "small", "true");
    await eventually("no limit is left", async () => (await disk.projects()).length === 0);
  });

  test("a limit of the daemon is for those that name none", async () => {
    await box.stop();
    await box.start("--storage-opt", "overlay2.size=16M");
    const info = await box.ok("info");
    assert.match(info, /Project Quotas: true/);
    assert.match(info, /Size: 16777216/);
    assert.equal(await box.ok("run", "--name", "usual", "small", "sh", "-c", capacity), `${16 * 1024}`);
    assert.equal(await box.ok("inspect", "--format", "{{.HostConfig.StorageOpt.size}}", "usual"), "16777216");
    assert.equal(await box.ok("run", "--rm", ...limit("6m"), "small", "sh", "-c", capacity), `${6 * 1024}`);
    assert.ok(Number(await box.ok("run", "--rm", ...limit("0"), "small", "sh", "-c", capacity)) > 300 * 1024);
    await box.ok("rm", "usual");
    await eventually("no limit is left", async () => (await disk.projects()).length === 0);
    await box.stop();
    await box.start();
  });

  test("refused: what is no size or no option", async () => {
    for (const [option, stderr] of [
      ["size=10q", /invalid suffix: 'q'/],
      ["size=-1", /invalid size: '-1'/],
      ["speed=1", /Unknown option speed/],
    ] as const) {
      await box.fails({ status: 125, stderr }, "create", "--storage-opt", option, "small");
    }
  });
}

suite("where the file system has no project quotas", requiresRoot(), () => {
  const box = sandbox();

  test("a daemon that is to limit by them does not start", async () => {
    const stderr = /Storage option overlay2.size not supported. Filesystem does not support Project Quota/;
    await box.fails({ status: 1, stderr }, "daemon", "--storage-opt", "overlay2.size=10G");
    await box.fails(
      { status: 1, stderr: /overlay2: unknown option overlay2.speed/ },
      "daemon",
      "--storage-opt",
      "overlay2.speed=1",
    );
    await box.fails({ status: 1, stderr: /invalid size: 'x'/ }, "daemon", "--storage-opt", "overlay2.size=x");
  });
});
