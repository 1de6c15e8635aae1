import assert from "node:assert/strict";
import { existsSync, globSync } from "node:fs";
import { before, describe, test } from "node:test";
import { busybox } from "../support/images.ts";
import { eventually } from "../support/process.ts";
import { sandbox } from "../support/sandbox.ts";

describe("namespaces, groups, devices and parents that somebody chooses", () => {
  const box = sandbox({ start: true });

  before(async () => {
    await box.load(await busybox(), "busybox");
  });

  const run = (...args: string[]) => box.ok("run", "--network", "none", ...args);

  test("shared memory and IPC namespace of another container", async () => {
    await run(
      "-d",
      "--name",
      "owner",
      "--ipc",
      "shareable",
      "busybox",
      "sh",
      "-c",
      "echo hello >/dev/shm/x; sleep 1000",
    );
    const namespace = await box.ok("exec", "owner", "readlink", "/proc/self/ns/ipc");
    const script = "readlink /proc/self/ns/ipc; cat /dev/shm/x; echo more >/dev/shm/y; readlink /proc/self/ns/mnt";
    const [ipc, text, mounts] = (await run("--rm", "--ipc", "container:owner", "busybox", "sh", "-c", script)).split(
      "\n",
    );
    assert.deepEqual([ipc, text], [namespace, "hello"]);
    assert.notEqual(mounts, await box.ok("exec", "owner", "readlink", "/proc/self/ns/mnt"));
    assert.equal(await box.ok("exec", "owner", "cat", "/dev/shm/y"), "more");
    const id = await box.ok("inspect", "-f", "{{.Id}}", "owner");
    const named = await box.ok("create", "--ipc", "container:owner", "busybox", "true");
    assert.equal(await box.ok("inspect", "-f", "{{.HostConfig.IpcMode}}", named), `container:${id}`);
    await box.ok("rm", "-f", "owner");
    await box.fails({ status: 1, stderr: /No such container/ }, "start", named);
  });

  test("who does not share is not joined", async () => {
    await run("-d", "--name", "private", "busybox", "sleep", "1000");
    const hint =
      /failed to join IPC namespace: container [0-9a-f]{64}: non-shareable IPC \(hint: use IpcMode:shareable/;
    await box.fails({ status: 125, stderr: hint }, "run", "--ipc", "container:private", "busybox", "true");
    await box.ok("create", "--name", "idle", "--ipc", "shareable", "busybox", "true");
    const idle = /failed to join IPC namespace: container [0-9a-f]{64} is not running/;
    await box.fails({ status: 125, stderr: idle }, "run", "--ipc", "container:idle", "busybox", "true");
    await box.ok("rm", "-f", "private", "idle");
  });

  test("no shared memory at all", async () => {
    assert.equal(
      await run("--rm", "--ipc", "none", "busybox", "sh", "-c", "ls /dev/shm 2>&1 || true"),
      "ls: /dev/shm: No such file or directory",
    );
  });

  test("the machine's names, groups and devices", async () => {
    const script = "id -G; readlink /proc/self/ns/uts; stat -c '%t:%T' /dev/mine";
    const said = await run(
      "--rm",
      "--uts",
      "host",
      "--group-add",
      "extra",
      "--group-add",
      "77",
      "--device",
      "/dev/null:/dev/mine:r",
      "busybox",
      "sh",
      "-c",
      script,
    );
    const [groups, , device] = said.split("\n");
    assert.equal(groups, "0 77 2000");
    assert.equal(device, "1:3");
  });

  test("a cgroup parent of one's own leaves nothing behind", async () => {
    const parent = `sampan-test${box.layout.suffix}`;
    const find = () => globSync([`/sys/fs/cgroup/*/${parent}*`, `/sys/fs/cgroup/${parent}*`]);
    await run("--rm", "--cgroup-parent", `/${parent}`, "busybox", "true");
    await eventually(`no cgroup ${parent} is left, but ${find()}`, () => find().length === 0, 3000);
    assert.ok(existsSync(box.layout.root));
  });
});
