import assert from "node:assert/strict";
import { existsSync, globSync, readlinkSync } from "node:fs";
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

  test("clocks of its own, for every exec, too, and after a restart and another daemon", async () => {
    const offsets = "cat /proc/self/timens_offsets";
    const expected = [
      ["monotonic", "86400", "0"],
      ["boottime", "604800", "500000000"],
    ];
    const words = (text: string) => text.split("\n").map((line) => line.split(/ +/));
    await run("-d", "--name", "later", "--time-offset", "monotonic=24h,boottime=7d0.5s", "busybox", "sleep", "1000");
    const clock = await box.ok("exec", "later", "readlink", "/proc/1/ns/time");
    const same = async () => {
      assert.deepEqual(words(await box.ok("exec", "later", "sh", "-c", offsets)), expected);
      const links = "readlink /proc/1/ns/time; readlink /proc/self/ns/time";
      const [first, own] = (await box.ok("exec", "later", "sh", "-c", links)).split("\n");
      assert.equal(first, own);
    };
    await same();
    assert.notEqual(clock, readlinkSync("/proc/self/ns/time"));
    assert.ok(Number.parseFloat(await box.ok("exec", "later", "cat", "/proc/uptime")) > 604_800);
    await box.crash();
    await same();
    await box.ok("restart", "-t", "0", "later");
    await same();
    const shown = await box.ok("inspect", "-f", "{{json .HostConfig.TimeOffsets}}", "later");
    assert.deepEqual(JSON.parse(shown), {
      Monotonic: { Secs: 86_400, Nanosecs: 0 },
      Boottime: { Secs: 604_800, Nanosecs: 500_000_000 },
    });
    await box.ok("rm", "-f", "later");
    assert.match(
      await box.ok("run", "--explain", "--time-offset", "1h", "busybox", "true"),
      /unshare\(CLONE_NEWTIME\)/,
    );
    assert.equal(await run("--rm", "busybox", "readlink", "/proc/self/ns/time"), readlinkSync("/proc/self/ns/time"));
  });

  test("clocks that cannot be are refused", async () => {
    const before = /Cannot honour TimeOffsets.Boottime: by -\d+ s the clock, now at \d+ s, would be before 0/;
    await box.fails({ status: 125, stderr: before }, "run", "--time-offset", "boottime=-40000d", "busybox", "true");
    const none = /invalid time offset "realtime=1h": "realtime" is no clock: monotonic, boottime/;
    await box.fails({ status: 125, stderr: none }, "run", "--time-offset", "realtime=1h", "busybox", "true");
  });

  test("a cgroup parent of one's own leaves nothing behind", async () => {
    const parent = `sampan-test${box.layout.suffix}`;
    const find = () => globSync([`/sys/fs/cgroup/*/${parent}*`, `/sys/fs/cgroup/${parent}*`]);
    await run("--rm", "--cgroup-parent", `/${parent}`, "busybox", "true");
    await eventually(`no cgroup ${parent} is left, but ${find()}`, () => find().length === 0, 3000);
    assert.ok(existsSync(box.layout.root));
  });
});
