import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { capacity, limit, requiresLimits, testLimits } from "../support/layer-limits.ts";
import { eventually } from "../support/process.ts";
import { lackOfProjectQuotas, type QuotaDisk } from "../support/quota-disk.ts";
import { requiresKernel, requiresRoot } from "../support/requires.ts";
import { type Sandbox, sandbox } from "../support/sandbox.ts";

const needed = { ...requiresLimits(), ...requiresKernel(await lackOfProjectQuotas()) };

suite("limits of writable layers on xfs", needed, () => {
  const { box, disk } = testLimits("xfs");
  lives(box, disk);
});

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
    assert.equal(await box.ok("run", "--rm", "--storage-opt", "size=6m", "small", "sh", "-c", capacity), `${6 * 1024}`);
    assert.ok(Number(await box.ok("run", "--rm", ...limit("0"), "small", "sh", "-c", capacity)) > 300 * 1024);
    await box.ok("create", "--storage-opt", "size=6m", "--name", "made", "small");
    await box.ok("rm", "usual", "made");
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
