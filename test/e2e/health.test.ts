import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import type { Health } from "../../src/api/shapes/container.ts";
import { dockerOf } from "../support/docker.ts";
import { busybox } from "../support/images.ts";
import { eventually } from "../support/process.ts";
import { patience, requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

const { ok } = dockerOf(box);

const inspect = (name: string, format: string) => ok("inspect", "-f", format, name);

async function health(name: string): Promise<Health> {
  return JSON.parse(await inspect(name, "{{json .State.Health}}")) as Health;
}

function becomes(name: string, status: Health["Status"]): Promise<Health> {
  return eventually(`${name} is ${status}`, async () => {
    const now = await health(name);
    return now.Status === status ? now : undefined;
  });
}

/** As docker takes moments; its own "0s" is the last full second. */
const now = () => (Date.now() / 1000).toFixed(3);

/** What happened to a container, its execs apart. */
async function events(name: string): Promise<string[]> {
  const lines = await ok(
    "events",
    "--since",
    "1",
    "--until",
    now(),
    "--filter",
    `container=${name}`,
    "--format",
    "{{.Action}}",
  );
  return lines.split("\n").filter((line) => !line.startsWith("exec_"));
}

const often = ["--health-interval", "100ms"];
/** Time enough to look at it before the first probe. */
const seldom = ["--health-interval", `${700 * patience}ms`];

suite("health", requires("docker", "busybox"), () => {
  before(async () => {
    await box.load(await busybox(), "busybox");
  });

  test("a probe whose monitor is killed has failed, and the next one comes", async () => {
    const command = "echo begun; exec sleep 1000";
    await ok(
      "run",
      "-d",
      "--name",
      "cut",
      "--health-cmd",
      command,
      "--health-interval",
      "100ms",
      "busybox",
      "sleep",
      "1000",
    );
    const daemon = box.pid;
    const probe = await eventually("a probe runs", async () => {
      const lines = (await ok("top", "cut", "-o", "pid,ppid,args")).split("\n");
      return lines
        .map((line) => line.trim().split(/\s+/))
        .filter(([, , ...args]) => args.join(" ") === "sleep 1000")[1];
    });
    process.kill(Number(probe[1]), "SIGKILL");
    const log = await eventually("it is told", async () => (await health("cut")).Log?.[0]);
    assert.notEqual(log.ExitCode, 0);
    assert.equal(box.pid, daemon, "the daemon goes on");
    await ok("rm", "-f", "cut");
  });

  test("starting, healthy, unhealthy: status, log, list, events", async () => {
    const command = "echo seen; exit $(cat /code)";
    await ok(
      "create",
      "--name",
      "ill",
      "--health-cmd",
      command,
      ...seldom,
      "--health-retries",
      "2",
      "busybox",
      "sh",
      "-c",
      "echo 0 >/code; sleep 1000",
    );
    assert.equal(await inspect("ill", "{{json .State.Health}}"), "null");
    await ok("start", "ill");
    assert.deepEqual(await health("ill").then(({ Status, FailingStreak }) => [Status, FailingStreak]), ["starting", 0]);
    assert.match(
      await ok("ps", "--filter", "health=starting", "--format", "{{.Status}}"),
      /^Up .* \(health: starting\)$/,
    );
    const { Log } = await becomes("ill", "healthy");
    assert.deepEqual([Log?.at(-1)?.ExitCode, Log?.at(-1)?.Output], [0, "seen\n"]);
    assert.match(await ok("ps", "--filter", "health=healthy", "--format", "{{.Status}}"), /^Up .* \(healthy\)$/);
    await ok("exec", "ill", "sh", "-c", "echo 3 >/code");
    const ill = await becomes("ill", "unhealthy");
    assert.ok(ill.FailingStreak >= 2 && ill.Log?.at(-1)?.ExitCode === 3, JSON.stringify(ill));
    await eventually("five are remembered", async () => (await health("ill")).Log?.length === 5);
    assert.match(await ok("ps", "--format", "{{.Status}}"), /\(unhealthy\)$/);
    assert.deepEqual(await events("ill"), ["create", "start", "health_status: healthy", "health_status: unhealthy"]);

    await ok("pause", "ill");
    await ok("exec", "ill", "true").catch(() => {});
    await ok("unpause", "ill");
    await ok("exec", "ill", "sh", "-c", "echo 0 >/code");
    await becomes("ill", "healthy");
    await ok("kill", "ill");
    assert.equal((await health("ill")).Status, "unhealthy");
    await ok("start", "ill");
    const { Status, FailingStreak } = await health("ill");
    assert.deepEqual([Status, FailingStreak], ["starting", 0]);
    await ok("rm", "-f", "ill");
  });

  test("a probe that takes too long, says too much, or is not there", async () => {
    await ok(
      "run",
      "-d",
      "--name",
      "slow",
      "--health-cmd",
      "echo hi; sleep 10",
      ...often,
      "--health-timeout",
      "200ms",
      "--health-retries",
      "1",
      "busybox",
      "sleep",
      "1000",
    );
    const { Log: slow } = await becomes("slow", "unhealthy");
    assert.deepEqual([slow?.[0]?.ExitCode, slow?.[0]?.Output], [-1, "Health check exceeded timeout (200ms): hi\n"]);
    const loud = "i=0; while [ $i -lt 1000 ]; do echo 12345678; i=$((i+1)); done";
    await ok("run", "-d", "--name", "loud", "--health-cmd", loud, ...often, "busybox", "sleep", "1000");
    const output = (await becomes("loud", "healthy")).Log?.[0]?.Output ?? "";
    assert.equal(output.length, 4096 + "...".length);
    assert.ok(output.startsWith("12345678\n") && output.endsWith("..."));
    const Healthcheck = { Test: ["CMD", "nosuch"], Interval: 1e8, Retries: 1 };
    await box.api("POST", "/containers/create?name=lost", { Image: "busybox", Cmd: ["sleep", "1000"], Healthcheck });
    await ok("start", "lost");
    const { Log: lost } = await becomes("lost", "unhealthy");
    assert.match(lost?.[0]?.Output ?? "", /exec: "nosuch": executable file not found in \$PATH/);
    await ok("rm", "-f", "slow", "loud", "lost");
  });

  test("failures do not count in the start period, and are looked for more often", async () => {
    const period = [
      "--health-start-period",
      "30s",
      "--health-start-interval",
      "100ms",
      "--health-interval",
      "1h",
      "--health-retries",
      "1",
    ];
    await ok(
      "run",
      "-d",
      "--name",
      "young",
      "--health-cmd",
      "cat /ready",
      ...period,
      "busybox",
      "sh",
      "-c",
      "sleep 0.7; touch /ready; sleep 1000",
    );
    assert.equal((await becomes("young", "healthy")).FailingStreak, 0);
    assert.deepEqual(await events("young"), ["create", "start", "health_status: healthy"]);
    // The start interval is of API 1.44 and newer.
    const Healthcheck = { Test: ["CMD", "true"], Interval: 3600e9, StartPeriod: 60e9, StartInterval: 1e8 };
    await box.api("POST", "/containers/create?name=soon", { Image: "busybox", Cmd: ["sleep", "1000"], Healthcheck });
    await ok("start", "soon");
    await becomes("soon", "healthy");
    await ok("rm", "-f", "young", "soon");
  });

  test("probes without a process: file, port, URL", async () => {
    const serve = 'while :; do printf "HTTP/1.0 $(cat /status)\\r\\n\\r\\n" | nc -l -p 8080; done';
    const none = ["--network", "none"];
    await box.ok(
      "run",
      "-d",
      "--name",
      "file",
      ...none,
      "--health-file",
      "/ready",
      ...often,
      "busybox",
      "sh",
      "-c",
      "ln -s /etc/later /ready; sleep 1000",
    );
    await box.ok(
      "run",
      "-d",
      "--name",
      "tcp",
      ...none,
      "--health-tcp",
      "8080",
      ...often,
      "busybox",
      "sh",
      "-c",
      "sleep 0.3; while :; do nc -l -p 8080 </dev/null; done",
    );
    await ok(
      "run",
      "-d",
      "--name",
      "http",
      ...none,
      "--health-cmd",
      "sampan:http http://localhost:8080/health",
      ...often,
      "--health-retries",
      "1",
      "busybox",
      "sh",
      "-c",
      `echo 200 OK >/status; ${serve}`,
    );
    const http = await becomes("http", "healthy");
    assert.deepEqual([http.Log?.at(-1)?.Output, http.Log?.at(-1)?.ExitCode], ["HTTP/1.0 200 OK", 0]);
    await ok("exec", "http", "sh", "-c", "echo 503 Busy >/status");
    await eventually("it is seen", async () =>
      (await health("http")).Log?.some(({ Output }) => Output === "HTTP/1.0 503 Busy"),
    );
    await box.ok(
      "run",
      "-d",
      "--name",
      "mute",
      ...none,
      "--health-http",
      "http://127.0.0.1:8080",
      ...seldom,
      "--health-timeout",
      "200ms",
      "--health-retries",
      "1",
      "busybox",
      "sh",
      "-c",
      "sleep 1000 | nc -l -p 8080",
    );
    await eventually("nothing comes", async () => {
      return (await health("mute")).Log?.some(({ Output }) =>
        /exceeded timeout \(200ms\)|no answer in time/.test(Output),
      );
    });
    await becomes("tcp", "healthy");
    await eventually("three probes", async () => ((await health("file")).Log?.length ?? 0) >= 3);
    const file = await health("file");
    assert.deepEqual([file.Log?.[0]?.ExitCode, file.Log?.[0]?.Output], [1, "/ready: no such file or directory"]);
    await ok("exec", "file", "touch", "/etc/later");
    await becomes("file", "healthy");
    assert.equal((await ok("top", "file")).split("\n").length, 2);
    await ok("rm", "-f", "file", "tcp", "http", "mute");
    await box.fails({ status: 125, stderr: /it takes \[HOST:\]PORT/ }, "create", "--health-tcp", "x", "busybox");
  });

  test("health failures restart, stop or kill a container, whoever asks", async () => {
    const ill = (name: string, ...more: string[]) =>
      box.ok(
        "run",
        "-d",
        "--name",
        name,
        "--stop-timeout",
        "0",
        ...often,
        "--health-retries",
        "1",
        ...more,
        "busybox",
        "sleep",
        "1000",
      );
    await ill("restarted", "--health-file", "/never", "--health-on-failure", "restart");
    await eventually(
      "it starts again",
      async () => (await events("restarted")).filter((action) => action === "start").length >= 2,
    );
    await ok("rm", "-f", "restarted");
    await ill("stopped", "--health-cmd", "false", "--health-on-failure=stop", "--restart", "always");
    await eventually("it stays stopped", async () => (await inspect("stopped", "{{.State.Status}}")) === "exited");
    await ok("rm", "stopped");
    await ill(
      "killed",
      "--health-cmd",
      "false",
      "--label",
      "sampan.health-on-failure=kill",
      "--restart",
      "on-failure:1",
    );
    const format = "{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}";
    await eventually("its policy is followed", async () => (await inspect("killed", format)) === "exited 137 1");
    await ok("rm", "killed");
    await box.fails(
      { status: 125, stderr: /invalid action for health failures 'x'/ },
      "create",
      "--health-on-failure",
      "x",
      "busybox",
    );
  });

  test("status and log outlive the daemon, and probes go on", async () => {
    await ok(
      "run",
      "-d",
      "--name",
      "kept",
      "--health-cmd",
      "date +%s%N; test -e /well",
      ...often,
      "--health-retries",
      "3",
      "busybox",
      "sh",
      "-c",
      "touch /well; sleep 1000",
    );
    await becomes("kept", "healthy");
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const { Log: before } = await health("kept");
    await box.crash();
    const after = await health("kept");
    assert.equal(after.Status, "healthy");
    const last = (log: Health["Log"]) => Date.parse(log?.at(-1)?.End ?? "");
    assert.ok(last(after.Log) > last(before) - 2500, "its last results are there");
    await ok("exec", "kept", "rm", "/well");
    await becomes("kept", "unhealthy");
    await box.crash();
    assert.equal((await health("kept")).Status, "unhealthy");
    assert.ok((await health("kept")).FailingStreak >= 3);
    await ok("rm", "-f", "kept");
  });
});

suite("restart policies", requires("docker", "busybox"), () => {
  test("back-off doubles; between two lives a container is live, and can be stopped", async () => {
    await ok("run", "-d", "--name", "again", "--restart", "always", "busybox", "false");
    await eventually("five restarts", async () => Number(await inspect("again", "{{.RestartCount}}")) >= 5);
    const times = await ok(
      "events",
      "--since",
      "1",
      "--until",
      "0s",
      "--filter",
      "container=again",
      "--filter",
      "event=start",
      "--format",
      "{{.TimeNano}}",
    );
    const starts = times.split("\n").map((text) => Number(BigInt(text) / 1_000_000n));
    const pauses = starts.slice(1).map((at, index) => at - (starts[index] ?? 0));
    for (const [index, pause] of pauses.slice(0, 4).entries()) {
      assert.ok(pause >= 100 * 2 ** index && pause < 100 * 2 ** index + 400 * patience, `pauses ${pauses.join(" ")}`);
    }
    await eventually("it waits", async () => (await inspect("again", "{{.State.Status}}")) === "restarting");
    assert.equal(await inspect("again", "{{.State.Running}} {{.State.Restarting}} {{.State.Pid}}"), "true true 0");
    assert.match(await ok("ps", "--format", "{{.Status}}"), /^Restarting \(1\) /);
    const refused = await box.api("POST", "/containers/again/exec", { Cmd: ["true"] });
    assert.match(refused.text, /is restarting, wait until the container is running/);
    assert.equal((await box.api("DELETE", "/containers/again")).status, 409);
    const count = await inspect("again", "{{.RestartCount}}");
    await box.crash();
    const kept = Number(await inspect("again", "{{.RestartCount}}")) - Number(count);
    assert.ok(kept >= 0 && kept <= 2, `${kept} more`);
    await eventually("it goes on", async () => Number(await inspect("again", "{{.RestartCount}}")) > Number(count));
    await eventually("it waits", async () => (await inspect("again", "{{.State.Status}}")) === "restarting");
    const waited = ok("wait", "again");
    await new Promise((resolve) => setTimeout(resolve, 200 * patience));
    await ok("stop", "again");
    assert.equal(await waited, "1");
    assert.equal(await inspect("again", "{{.State.Status}} {{.State.ExitCode}}"), "exited 1");
    await ok("rm", "again");
  });

  test("who is being stopped stays so, though the daemon dies meanwhile", async () => {
    const slow = "trap 'sleep 0.5; exit 3' TERM; while :; do sleep 0.02; done";
    await ok("run", "-d", "--name", "leaving", "--restart", "unless-stopped", "busybox", "sh", "-c", slow);
    await eventually("it runs", async () => (await ok("top", "leaving")).includes("sleep 0.02"));
    await ok("kill", "-s", "TERM", "leaving");
    await box.crash();
    await eventually("it has ended", async () => (await inspect("leaving", "{{.State.ExitCode}}")) === "3");
    assert.equal(await inspect("leaving", "{{.State.Status}} {{.RestartCount}}"), "exited 0");
    await ok("rm", "leaving");
  });

  test("so many failures and no more, and an update changes that", async () => {
    await ok("run", "-d", "--name", "twice", "--restart", "on-failure:2", "busybox", "false");
    const format = "{{.State.Status}} {{.RestartCount}}";
    await eventually("it gives up", async () => (await inspect("twice", format)) === "exited 2");
    await box.crash();
    assert.equal(await inspect("twice", format), "exited 2");
    await ok("update", "--restart", "no", "twice");
    await ok("start", "twice");
    await eventually("it ends", async () => (await inspect("twice", format)) === "exited 0");
    await ok("rm", "twice");
  });
});
