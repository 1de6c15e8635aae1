import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { busybox } from "../support/images.ts";
import { eventually } from "../support/process.ts";
import { patience, requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

async function state(name: string): Promise<string> {
  return await box.ok("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", name);
}

suite("containers survive the daemon", requires("busybox"), () => {
  before(async () => {
    await box.load(await busybox(), "busybox");
  });

  test("kill -9 of the daemon: ps, logs, exec, stop and exit codes are right afterwards", async () => {
    const loop = "trap 'echo bye; exit 4' TERM; i=0; while :; do echo $i; i=$((i+1)); sleep 0.05; done";
    await box.ok("run", "-d", "--name", "counts", "busybox", "sh", "-c", loop);
    await box.ok("run", "-d", "--name", "ends", "busybox", "sh", "-c", "sleep 0.7; echo done; exit 6");
    await box.stop("SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await box.start();
    assert.deepEqual([await state("counts"), await state("ends")], ["running 0", "exited 6"]);
    assert.equal(await box.ok("logs", "ends"), "done");
    assert.equal(await box.ok("wait", "ends"), "6");
    assert.equal(await box.ok("exec", "counts", "echo", "inside"), "inside");
    const lines = (await box.ok("logs", "counts")).split("\n");
    assert.ok(lines.length > 15, `${lines.length} lines`);
    assert.deepEqual(lines, [...lines.keys()].map(String), "no line is lost or twice");
    await box.ok("stop", "counts");
    assert.equal(await state("counts"), "exited 4");
    assert.match(await box.ok("logs", "counts"), /bye$/);
    await box.ok("rm", "counts", "ends");
  });

  test("a container that ends by itself while no daemon runs and had --rm is removed by the next one", async () => {
    await box.ok("run", "-d", "--rm", "--name", "gone", "busybox", "sleep", "0.5");
    await box.stop("SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 700));
    await box.start();
    await eventually("it is removed", async () => (await box.ok("ps", "-aq")) === "");
  });

  test("ten crashes in a row lose nothing", async () => {
    await box.ok("run", "-d", "--name", "steady", "busybox", "sleep", "1000");
    for (let i = 0; i < 10; i++) await box.crash();
    assert.equal(await state("steady"), "running 0");
    await box.ok("rm", "-f", "steady");
  });

  test("a client that is attached when the daemon dies does not hang", async () => {
    const script = `echo first; sleep ${2 * patience}; echo second`;
    const attached = box.run(["run", "--name", "left", "busybox", "sh", "-c", script], { timeout: 20_000 });
    await eventually("it runs", async () => (await box.run(["logs", "left"])).stdout === "first\n");
    await box.stop("SIGKILL");
    assert.notEqual((await attached).status, 0);
    await box.start();
    await eventually("it has ended", async () => (await state("left")) === "exited 0");
    assert.equal(await box.ok("logs", "left"), "first\nsecond");
    await box.ok("rm", "left");
  });
});
