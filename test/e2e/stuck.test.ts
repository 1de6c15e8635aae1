import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { dockerOf } from "../support/docker.ts";
import { busybox, dockerArchive } from "../support/images.ts";
import { eventually, succeed } from "../support/process.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";
import { monitorsOf } from "../support/victims.ts";

const box = sandbox({ start: true });
const { ok } = dockerOf(box);
const needed = { ...requires("docker", "busybox", "mkfs.ext4", "losetup", "fsfreeze"), ...requiresRoot() };

/** Something that is not to end for now. */
class Pending {
  readonly done: Promise<unknown>;
  isOver = false;

  constructor(work: Promise<unknown>) {
    this.done = work.finally(() => {
      this.isOver = true;
    });
    this.done.catch(() => {});
  }
}

suite("one container that is stuck delays nobody else", needed, () => {
  before(async () => {
    const { status, stderr } = await box.run(["load"], { input: await dockerArchive(await busybox(), ["busybox"]) });
    assert.equal(status, 0, stderr);
  });

  /** What others do meanwhile: with containers, images and volumes, the stuck one among them. */
  async function others(stuck: string): Promise<void> {
    assert.match(await ok("ps", "--format", "{{.Names}}"), new RegExp(`^${stuck}$`, "m"));
    assert.equal(await ok("inspect", "-f", "{{.State.Running}}", stuck), "true");
    assert.match(await ok("images", "--format", "{{.Repository}}"), /^busybox$/m);
    assert.match(await ok("volume", "ls"), /DRIVER/);
    assert.match(await ok("info", "--format", "{{.ContainersRunning}}"), /^[1-9]/);
    assert.equal(await ok("run", "--rm", "-v", "apart:/data", "busybox", "echo", "done"), "done");
    assert.equal(await ok("exec", "other", "echo", "done"), "done");
    assert.equal(await ok("logs", "other"), "line");
    await ok("restart", "-t", "0", "other");
    const { status, json } = await box.api("GET", "/containers/other/stats?stream=0");
    assert.equal(status, 200);
    assert.ok((json as { pids_stats: { current: number } }).pids_stats.current > 0);
    await box.api("POST", "/containers/other/kill");
    await ok("wait", "other");
    await ok("rm", "other");
    await ok("volume", "rm", "apart");
  }

  const startOther = () => ok("run", "-d", "--name", "other", "busybox", "sh", "-c", "echo line; sleep 1000");

  test("its monitor does nothing", async () => {
    const id = await ok("run", "-d", "-i", "--name", "stuck", "busybox", "sh", "-c", "echo line; cat; sleep 1000");
    await eventually("it has written", async () => (await ok("logs", "stuck")) === "line");
    await startOther();
    const monitor = monitorsOf(box.layout).get(id);
    assert.ok(monitor !== undefined);
    process.kill(monitor, "SIGSTOP");
    const asked: Pending[] = [];
    try {
      asked.push(new Pending(ok("stop", "-t", "0", "stuck")), new Pending(ok("wait", "stuck")));
      assert.equal(await ok("logs", "stuck"), "line");
      await others("stuck");
      assert.deepEqual(
        asked.map(({ isOver }) => isOver),
        [false, false],
      );
    } finally {
      process.kill(monitor, "SIGCONT");
    }
    await Promise.all(asked.map(({ done }) => done));
    await ok("rm", "stuck");
  });

  test("its volume does not answer", async () => {
    const [file, directory] = [join(box.directory, "disk"), join(box.directory, "frozen")];
    mkdirSync(directory);
    await succeed("truncate", ["-s", "32M", file]);
    await succeed("mkfs.ext4", ["-qF", file]);
    await succeed("mount", ["-o", "loop", file, directory]);
    try {
      const script = "while :; do echo . >>/data/dots; sleep 0.01; done";
      await ok("volume", "create", "-o", "type=none", "-o", "o=bind", "-o", `device=${directory}`, "frozen");
      await ok("run", "-d", "--name", "stuck", "-v", "frozen:/data", "busybox", "sh", "-c", script);
      await startOther();
      await succeed("fsfreeze", ["-f", directory]);
      const asked: Pending[] = [];
      try {
        asked.push(new Pending(ok("cp", "/etc/passwd", "stuck:/data/copied")));
        asked.push(new Pending(ok("rm", "-f", "stuck")));
        await others("stuck");
        assert.equal(asked[0]?.isOver, false);
      } finally {
        await succeed("fsfreeze", ["-u", directory]);
      }
      await Promise.allSettled(asked.map(({ done }) => done));
      await box.run(["rm", "-f", "stuck"]);
      await ok("volume", "rm", "frozen");
    } finally {
      await succeed("umount", [directory]);
    }
  });
});
