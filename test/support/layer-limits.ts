import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { succeed } from "./process.ts";
import { type QuotaDisk, type QuotaFileSystem, quotaDisk } from "./quota-disk.ts";
import { type Requirement, requires, requiresRoot } from "./requires.ts";
import { type Sandbox, sandbox } from "./sandbox.ts";

/** What tests of limited layers need besides a kernel with project quotas. */
export function requiresLimits(): Requirement {
  return { ...requires("mkfs.xfs", "mkfs.ext4", "xfs_quota", "unshare", "busybox", "cc"), ...requiresRoot() };
}

const full = /no space left on device|disk quota exceeded|ENOSPC|EDQUOT/i;
const mebibyte = 1024 * 1024;
/** Prints the kibibytes that the container's root file system has. */
export const capacity = "df -kP / | awk 'NR == 2 { print $2 }'";
const fill = (mebibytes: number) => `dd if=/dev/zero of=/big bs=1M count=${mebibytes}`;
/** Of `run` and `create`. */
export const limit = (size: string): string[] => ["--storage-opt", `size=${size}`];

/** The tests of what differs between file systems; call it in a suite. */
export function testLimits(type: QuotaFileSystem): { box: Sandbox; disk: QuotaDisk } {
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
    await succeed("cc", ["-O1", "-static", "-o", binary, join(import.meta.dirname, "leave-project.c")]);
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
