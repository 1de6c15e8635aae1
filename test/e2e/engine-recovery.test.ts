import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { engineBox } from "../support/engine.ts";
import { eventually } from "../support/process.ts";
import { patience, requires, requiresRoot } from "../support/requires.ts";
import { parentOf } from "../support/victims.ts";

const needs = { ...requires("busybox"), ...requiresRoot() };

suite("an engine that is opened again", needs, () => {
  const box = engineBox();

  test("takes over what runs: logs, exec, stop and exit code", async () => {
    const id = await box.start(["sh", "-c", "trap 'exit 6' TERM; echo up; while :; do sleep 0.01; done"]);
    const { pid } = box.engine.containers.get(id).state;
    await box.reopen();
    const { containers, execs } = box.engine;
    assert.equal(containers.get(id).state.pid, pid);
    assert.equal(await box.log(id), "up\n");
    const exec = execs.create(id, { cmd: ["true"] });
    await execs.start(exec);
    await eventually("it has ended", () => execs.get(exec).exitCode === 0);
    await containers.stop(id);
    assert.equal(containers.get(id).state.exitCode, 6);
    await containers.remove(id);
  });

  test("learns how those ended that ended meanwhile", async () => {
    const id = await box.start(["sh", "-c", "sleep 0.3; exit 8"]);
    const removing = await box.start(["sleep", "0.3"], { host: { AutoRemove: true } });
    const { pid } = box.engine.containers.get(id).state;
    await box.engine.close();
    await eventually("it has ended", () => !existsSync(`/proc/${pid}`));
    await setTimeout(100 * patience);
    const opened = Date.now();
    await box.open();
    await eventually("its end is known", () => box.engine.containers.get(id).state.status === "exited");
    const { state } = box.engine.containers.get(id);
    assert.equal(state.exitCode, 8);
    assert.ok(Date.parse(state.finishedAt) < opened, `${state.finishedAt}, and it was asked at ${opened}`);
    await eventually("the other is gone", () => box.engine.containers.list({ all: true }).length === 1);
    await eventually("and its files", () => !existsSync(join(box.layout.containers, removing)));
    await box.engine.containers.remove(id);
  });

  test("a monitor that was killed took its container with it: 137", async () => {
    const id = await box.start(["sleep", "1000"]);
    const { pid } = box.engine.containers.get(id).state;
    const { result } = box.engine.containers.wait(id);
    process.kill(parentOf(pid), "SIGKILL");
    assert.equal((await result).exitCode, 137);
    await eventually("the process is gone", () => !existsSync(`/proc/${pid}`));
    await box.engine.containers.remove(id);
  });

  test("brings back what its policy wants running, and not what somebody stopped", async () => {
    const always = { RestartPolicy: { Name: "always", MaximumRetryCount: 0 } };
    const unless = { RestartPolicy: { Name: "unless-stopped", MaximumRetryCount: 0 } };
    const [one, two] = [
      await box.start(["sleep", "1000"], { host: always }),
      await box.start(["sleep", "1000"], { host: unless }),
    ];
    for (const id of [one, two]) await box.engine.containers.stop(id, { timeout: 0 });
    await box.reopen();
    await eventually("the first runs", () => box.engine.containers.get(one).state.running);
    assert.ok(!box.engine.containers.get(two).state.running);
    for (const id of [one, two]) await box.engine.containers.remove(id, { force: true });
  });

  test("sweeps directories that belong to nobody", async () => {
    const nobody = join(box.layout.containers, "f".repeat(64));
    await box.engine.close();
    mkdirSync(join(nobody, "rootfs"), { recursive: true });
    await box.open();
    assert.ok(!existsSync(nobody));
  });
});
