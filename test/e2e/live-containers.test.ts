import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { before, suite, test } from "node:test";
import type { StatsResponse } from "../../src/api/shapes/stats.ts";
import { docker, dockerOf } from "../support/docker.ts";
import { busybox } from "../support/images.ts";
import { eventually } from "../support/process.ts";
import { requires } from "../support/requires.ts";
import { sampan, sandbox } from "../support/sandbox.ts";
import { openTerminal } from "../support/terminal.ts";

const box = sandbox({ start: true });
const version = existsSync("/sys/fs/cgroup/cgroup.controllers") ? "v2" : "v1";

const { ok } = dockerOf(box);

async function fails(message: RegExp, ...args: string[]): Promise<void> {
  const { status, stderr } = await docker(box, args);
  assert.equal(status, 1, stderr);
  assert.match(stderr, message);
}

const inspect = (name: string, format: string) => ok("inspect", "-f", format, name);

async function status(method: string, path: string, body?: unknown): Promise<{ status: number; message: string }> {
  const answer = await box.api(method, path, body);
  return { status: answer.status, message: (answer.json as { message?: string } | undefined)?.message ?? "" };
}

/** Writes a line every 20 ms: a container of which one can see whether it runs. */
const ticking = ["busybox", "sh", "-c", "while :; do echo tick; sleep 0.02; done"];

async function ticks(name: string): Promise<number> {
  return (await ok("logs", name)).split("\n").length;
}

/** Its value of a limit, as the kernel has it. */
function limit(...where: Parameters<typeof cgroupFile>): string {
  return readFileSync(cgroupFile(...where), "utf8").trim();
}

function cgroupFile(pid: string, v1: readonly [controller: string, file: string], v2: string): string {
  const lines = readFileSync(`/proc/${pid}/cgroup`, "utf8").split("\n");
  const [controller, file] = v1;
  const line = lines.find((text) =>
    version === "v2" ? text.startsWith("0::") : text.split(":")[1]?.split(",").includes(controller),
  );
  const [, names = "", cgroup = ""] = /^\d+:([^:]*):(.*)$/.exec(line ?? "") ?? [];
  const directory = version === "v2" ? `/sys/fs/cgroup${cgroup}` : `/sys/fs/cgroup/${names}${cgroup}`;
  return `${directory}/${version === "v2" ? v2 : file}`;
}

suite("containers that live", requires("docker", "busybox"), () => {
  before(async () => {
    await box.load(await busybox(), "busybox");
  });

  test("pause stops every process, unpause lets them go on", async () => {
    await ok("run", "-d", "--name", "paused", ...ticking);
    await eventually("it ticks", async () => (await ticks("paused")) > 3);
    await ok("pause", "paused");
    assert.equal(await inspect("paused", "{{.State.Status}} {{.State.Running}} {{.State.Paused}}"), "paused true true");
    assert.match(await ok("ps", "--format", "{{.Status}}", "--filter", "status=paused"), /^Up .* \(Paused\)$/);
    const before = await ticks("paused");
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(await ticks("paused"), before);
    assert.equal(await ok("info", "-f", "{{.ContainersPaused}}"), "1");

    const { message } = await status("POST", "/containers/paused/exec", { Cmd: ["true"] });
    assert.equal(message, "Container paused is paused, unpause the container before exec");
    for (const [path, code, text] of [
      ["/containers/paused/pause", 409, /is already paused$/],
      ["/containers/paused/start", 409, /cannot start a paused container, try unpause instead/],
      ["/containers/paused/attach?stream=1&stdout=1", 409, /is paused, unpause the container before attach/],
    ] as const) {
      const refused = await status("POST", path);
      assert.equal(refused.status, code, path);
      assert.match(refused.message, text);
    }
    await fails(/cannot remove container "paused": container is paused and must be unpaused first/, "rm", "paused");
    await ok("unpause", "paused");
    await eventually("it ticks again", async () => (await ticks("paused")) > before + 3);
    assert.deepEqual(await status("POST", "/containers/paused/unpause").then(({ status }) => status), 500);
    await ok("rm", "-f", "paused");
    await fails(/No such container: paused/, "pause", "paused");
  });

  test("an exec of a container that was paused meanwhile, or has ended, is refused", async () => {
    await ok("run", "-d", "--name", "busy", ...ticking);
    const id = await inspect("busy", "{{.Id}}");
    const exec = async () => {
      const answer = await box.api("POST", "/containers/busy/exec", { Cmd: ["true"] });
      return `/exec/${(answer.json as { Id: string }).Id}/start`;
    };
    const [first, second] = [await exec(), await exec()];
    await ok("pause", "busy");
    const paused = `Container ${id} is paused, unpause the container before exec`;
    assert.deepEqual(await status("POST", first, { Detach: true }), { status: 409, message: paused });
    await ok("unpause", "busy");
    assert.equal((await status("POST", first, { Detach: true })).status, 200, "it was not used up");
    await ok("kill", "busy");
    const ended = { status: 409, message: `container ${id} is not running` };
    assert.deepEqual(await status("POST", second, { Detach: true }), ended);
    assert.deepEqual(await status("POST", "/containers/busy/exec", { Cmd: ["true"] }), ended);
    await ok("rm", "busy");
  });

  test("a paused container is stopped and killed as any other, and stays paused without a daemon", async () => {
    const trap = "trap 'echo asked; exit 7' TERM; while :; do sleep 0.02; done";
    await ok("run", "-d", "--name", "asked", "busybox", "sh", "-c", trap);
    await eventually("it runs", async () => (await ok("top", "asked")).includes("sleep 0.02"));
    await ok("pause", "asked");
    await box.crash();
    assert.equal(await inspect("asked", "{{.State.Status}}"), "paused");
    await ok("stop", "asked");
    assert.equal(await inspect("asked", "{{.State.Status}} {{.State.ExitCode}} {{.State.Paused}}"), "exited 7 false");
    await ok("start", "asked");
    await ok("pause", "asked");
    await ok("kill", "asked");
    assert.equal(await inspect("asked", "{{.State.Status}} {{.State.ExitCode}}"), "exited 137");
    await ok("rm", "asked");
    await ok("run", "-d", "--name", "gone", ...ticking);
    await ok("pause", "gone");
    await ok("rm", "-f", "gone");
  });

  test("what a daemon that died meanwhile has frozen is found paused", async () => {
    await ok("run", "-d", "--name", "frozen", ...ticking);
    const pid = await inspect("frozen", "{{.State.Pid}}");
    const file = cgroupFile(pid, ["freezer", "freezer.state"], "cgroup.freeze");
    writeFileSync(file, version === "v2" ? "1" : "FROZEN");
    await box.crash();
    assert.equal(await inspect("frozen", "{{.State.Status}}"), "paused");
    await ok("unpause", "frozen");
    const before = await ticks("frozen");
    await eventually("it ticks again", async () => (await ticks("frozen")) > before);
    await ok("rm", "-f", "frozen");
  });

  test("limits of a running container change at once, all or none", async () => {
    await ok(
      "run",
      "-d",
      "--name",
      "limited",
      "-m",
      "64m",
      "--memory-swap",
      "64m",
      "--cpus",
      "1",
      "busybox",
      "sleep",
      "1000",
    );
    const pid = await inspect("limited", "{{.State.Pid}}");
    const memory = () => limit(pid, ["memory", "memory.limit_in_bytes"], "memory.max");
    await ok("update", "-m", "96m", "--memory-swap", "128m", "--pids-limit", "33", "--cpus", "0.5", "limited");
    assert.equal(memory(), String(96 * 1024 * 1024));
    assert.equal(limit(pid, ["pids", "pids.max"], "pids.max"), "33");
    assert.match(limit(pid, ["cpu", "cpu.cfs_quota_us"], "cpu.max"), /^50000\b/);
    const sum = String((version === "v2" ? 32 : 128) * 1024 * 1024);
    assert.equal(limit(pid, ["memory", "memory.memsw.limit_in_bytes"], "memory.swap.max"), sum);
    assert.equal(
      await inspect("limited", "{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}}"),
      `${96 * 1024 * 1024} 33`,
    );

    await fails(
      /Conflicting options: CPU Period cannot be updated as NanoCPUs/,
      "update",
      "--cpu-period",
      "50000",
      "limited",
    );
    await fails(/update the memoryswap at the same time/, "update", "-m", "256m", "limited");
    await fails(/Requested CPUs are not available/, "update", "--cpuset-cpus", "4000", "limited");
    await fails(/Minimum memory limit allowed is 6MB/, "update", "-m", "1m", "limited");
    assert.equal(memory(), String(96 * 1024 * 1024));
    assert.equal(await inspect("limited", "{{.HostConfig.Memory}}"), String(96 * 1024 * 1024));

    await ok("update", "--pids-limit", "-1", "limited");
    assert.equal(limit(pid, ["pids", "pids.max"], "pids.max"), "max");
    await ok("rm", "-f", "limited");
  });

  test("limits and policy of one that does not run hold from its next start, and for the next daemon", async () => {
    await ok("create", "--name", "later", "busybox", "sleep", "1000");
    await ok("update", "--cpu-shares", "512", "--restart", "on-failure:3", "later");
    const { json } = await box.api("POST", "/containers/later/update", {});
    assert.deepEqual(json, { Warnings: null });
    await box.crash();
    const format =
      "{{.HostConfig.CpuShares}} {{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}";
    assert.equal(await inspect("later", format), "512 on-failure 3");
    await ok("start", "later");
    const pid = await inspect("later", "{{.State.Pid}}");
    assert.equal(limit(pid, ["cpu", "cpu.shares"], "cpu.weight"), version === "v2" ? "59" : "512");
    await ok("rm", "-f", "later");
    const refused = await status("POST", "/containers/later/update", {
      Ulimits: [{ Name: "nofile", Soft: 9, Hard: 9 }],
    });
    assert.deepEqual(refused.status, 501);
  });

  test("top shows the container's processes, with the machine's ids", async () => {
    await ok("run", "-d", "--name", "shown", "busybox", "sh", "-c", "sleep 1000 & sleep 2000 & wait");
    await eventually("all are there", async () => (await ok("top", "shown")).split("\n").length === 4);
    const pid = await inspect("shown", "{{.State.Pid}}");
    const [titles, ...rows] = (await ok("top", "shown")).split("\n").map((line) => line.trim().split(/\s{2,}/));
    assert.deepEqual(titles, ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]);
    assert.deepEqual(rows.map(([, own]) => own).includes(pid), true);
    assert.deepEqual(
      rows
        .map((cells) => cells.at(-1))
        .toSorted()
        .slice(1),
      ["sleep 1000", "sleep 2000"],
    );
    assert.match(await ok("top", "shown", "-o", "pid,comm"), new RegExp(`^PID\\s+COMMAND\\n${pid}\\s+sh$`, "m"));
    await fails(/Couldn't find PID field in ps output/, "top", "shown", "-o", "comm");
    await fails(/unsupported --forest/, "top", "shown", "-e", "--forest");
    assert.match(
      await box.ok("top", "shown", "aux"),
      /^USER\s+PID\s+%CPU\s+%MEM\s+VSZ\s+RSS\s+TTY\s+STAT\s+START\s+TIME\s+COMMAND$/m,
    );
    await ok("rm", "-f", "shown");
    await ok("create", "--name", "idle", "busybox");
    await fails(/container [0-9a-f]{64} is not running/, "top", "idle");
    await ok("rm", "idle");
  });

  test("stats: docker's command line and ours agree with what is used", async () => {
    const busy = "dd if=/dev/zero of=/tmp/f bs=1M count=20 2>/dev/null; while :; do :; done";
    await ok(
      "run",
      "-d",
      "--name",
      "busy",
      "--cpus",
      "0.3",
      "-m",
      "100m",
      "--tmpfs",
      "/tmp",
      "busybox",
      "sh",
      "-c",
      busy,
    );
    await ok("create", "--name", "idle", "busybox");
    await eventually("the file is there", async () =>
      (await ok("exec", "busy", "ls", "-l", "/tmp/f")).includes("20971520"),
    );
    const rows = await ok(
      "stats",
      "--no-stream",
      "-a",
      "--format",
      "{{.Name}} {{.CPUPerc}} {{.MemUsage}} {{.MemPerc}} {{.PIDs}}",
    );
    const line = /^busy ([\d.]+)% ([\d.]+)MiB \/ 100MiB ([\d.]+)% 1$/m.exec(rows);
    assert.ok(line, rows);
    const [, cpu, memory, share] = line.map(Number) as [number, number, number, number];
    assert.ok(cpu > 10 && cpu < 50, `cpu ${cpu}`);
    assert.ok(memory >= 20 && memory < 40 && Math.abs(share - memory) < 1, `memory ${memory} ${share}`);
    assert.match(rows, /^idle 0\.00% 0B \/ 0B 0\.00% 0$/m);
    const ours = await box.ok("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}} {{.NetIO}}", "busy");
    assert.match(ours, /^busy 2\d(\.\d+)?MiB \/ 100MiB 0B \/ 0B$/);
    assert.match(
      await box.ok("stats", "--no-stream"),
      /^CONTAINER ID +NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +NET I\/O +BLOCK I\/O +PIDS\n[0-9a-f]{12} +busy /,
    );
    const refused = await status("GET", "/containers/busy/stats?one-shot=1");
    assert.deepEqual(refused, { status: 400, message: "cannot have stream=true and one-shot=true" });
    await ok("rm", "-f", "busy", "idle");
  });

  test("stats is drawn again and again at one place, and follows who comes and goes", requires("tmux"), async () => {
    await ok("run", "-d", "--name", "first", "busybox", "sleep", "1000");
    const argv = [sampan, "stats", "--format", "table {{.Name}}\t{{.PIDs}}"];
    const terminal = await openTerminal(box.directory, argv, { ...box.env, TERM: "screen" });
    try {
      await terminal.shows(/^NAME +PIDS\s+first +1\s*$/);
      await ok("run", "-d", "--name", "second", "busybox", "sleep", "1000");
      await terminal.shows(/^NAME +PIDS\s+(first +1\s+second +1|second +1\s+first +1)\s*$/);
      await ok("rm", "-f", "first");
      await terminal.shows(/^NAME +PIDS\s+second +1\s*$/);
      await terminal.press("C-c");
    } finally {
      await terminal.close();
      await ok("rm", "-f", "second");
    }
  });

  test("however many watch, a container is read once a second; one that stops streams zeros, one that is removed ends", async () => {
    await ok("run", "-d", "--name", "watched", "busybox", "sleep", "1000");
    const clients = await Promise.all(Array.from({ length: 8 }, () => watch("watched")));
    await eventually("three readings each", () => clients.every(({ readings }) => readings.length >= 4));
    const moments = new Set(clients.flatMap(({ readings }) => readings.map(({ read }) => read)));
    const most = Math.max(...clients.map(({ readings }) => readings.length));
    assert.ok(moments.size <= most + 1, `${moments.size} readings for ${most} per client`);
    const [first, second] = clients[0]?.readings ?? [];
    assert.deepEqual([first?.preread, second?.preread], ["0001-01-01T00:00:00Z", first?.read]);
    await ok("kill", "watched");
    await eventually("zeros", () => clients.every(({ readings }) => readings.at(-1)?.read.startsWith("0001-")));
    assert.deepEqual(clients[0]?.readings.at(-1)?.memory_stats, {});
    await ok("rm", "watched");
    await eventually("the streams end", () => clients.every(({ ended }) => ended()));
  });
});

/** A client of the stream of statistics. */
async function watch(name: string): Promise<{ readings: StatsResponse[]; ended: () => boolean }> {
  const readings: StatsResponse[] = [];
  let ended = false;
  const call = request({ socketPath: box.layout.apiSocket, path: `/containers/${name}/stats`, agent: false });
  call.end();
  await new Promise<void>((resolve, reject) => {
    call.once("error", reject);
    call.once("response", (response) => {
      let rest = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        const lines = (rest + text).split("\n");
        rest = lines.pop() ?? "";
        readings.push(...lines.map((line) => JSON.parse(line) as StatsResponse));
      });
      response.once("end", () => {
        ended = true;
      });
      resolve();
    });
  });
  return { readings, ended: () => ended };
}
