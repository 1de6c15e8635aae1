import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { busybox } from "../support/images.ts";
import { eventually } from "../support/process.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { sampan, sandbox } from "../support/sandbox.ts";
import { executorOf, parentOf } from "../support/victims.ts";

const box = sandbox({ start: true });
const counting = "trap 'echo bye; exit 4' TERM; i=0; while :; do echo $i; i=$((i+1)); sleep 0.05; done";

async function state(name: string): Promise<string> {
  return await box.ok("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", name);
}

async function monitorOf(name: string): Promise<number> {
  return parentOf(Number(await box.ok("inspect", "--format", "{{.State.Pid}}", name)));
}

function executorPid(): number {
  const found = executorOf(box.pid);
  assert.ok(found, "there is an executor");
  return found;
}

/** A command that goes on; `output` is what it has said so far. */
function following(...args: string[]) {
  const child = spawn(sampan, args, { env: box.env, cwd: box.directory, stdio: ["ignore", "pipe", "pipe"] });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => said.push(text));
  }
  return { child, output: () => said.join(""), ended: once(child, "close") as Promise<[number | null]> };
}

suite("what is killed takes nothing else with it", { ...requires("busybox"), ...requiresRoot() }, () => {
  before(async () => {
    await box.load(await busybox(), "busybox");
  });

  test("the daemon: afterwards logs -f, attach and exec follow the container, and stop and wait are right", async () => {
    await box.ok("run", "-d", "--name", "counts", "busybox", "sh", "-c", counting);
    await box.crash();
    assert.match(await box.ok("ps", "--format", "{{.Names}} {{.Status}}"), /^counts Up /);
    const logs = following("logs", "-f", "counts");
    const attached = following("attach", "--no-stdin", "counts");
    const waited = following("wait", "counts");
    await eventually("both see it count", () => /\n\d+\n/.test(logs.output()) && /\n\d+\n/.test(attached.output()));
    assert.equal(await box.ok("exec", "counts", "sh", "-c", "echo inside $PPID"), "inside 0");
    assert.equal((await box.run(["exec", "counts", "sh", "-c", "exit 9"])).status, 9);
    await box.ok("stop", "counts");
    assert.equal((await logs.ended)[0], 0);
    assert.equal((await attached.ended)[0], 4);
    assert.equal((await waited.ended)[0], 0);
    assert.equal(waited.output(), "4\n");
    assert.match(attached.output(), /bye\n$/);
    const lines = logs.output().trim().split("\n");
    assert.deepEqual(lines.slice(0, -1), [...lines.slice(0, -1).keys()].map(String), "no line is lost or twice");
    assert.equal(lines.at(-1), "bye");
    assert.equal(await state("counts"), "exited 4");
    await box.ok("rm", "counts");
  });

  test("the daemon, while an exec runs in a container: the container goes on, another exec is possible", async () => {
    await box.ok("run", "-d", "--name", "host", "busybox", "sleep", "1000");
    const exec = following("exec", "host", "sh", "-c", "echo began; sleep 1000");
    await eventually("it runs", () => exec.output() === "began\n");
    await box.stop("SIGKILL");
    assert.notEqual((await exec.ended)[0], 0);
    await box.start();
    assert.equal(await state("host"), "running 0");
    assert.equal(await box.ok("exec", "host", "echo", "again"), "again");
    await box.ok("rm", "-f", "host");
  });

  test("the daemon, while it starts twenty containers: each runs or is not there, and can be removed", async () => {
    const starts = Array.from({ length: 20 }, (_, i) =>
      box.run(["run", "-d", "--name", `many${i}`, "busybox", "sleep", "1000"]),
    );
    await eventually("some run", async () => (await box.run(["ps", "-q"])).stdout.split("\n").length > 4);
    await box.stop("SIGKILL");
    const outcomes = await Promise.all(starts);
    await box.start();
    const rows = (await box.ok("ps", "-a", "--format", "{{.Names}} {{.State}}")).split("\n");
    for (const [index, { status, stdout }] of outcomes.entries()) {
      if (status === 0) assert.ok(rows.includes(`many${index} running`), `${stdout} is in\n${rows.join("\n")}`);
    }
    for (const row of rows) assert.match(row, /^many\d+ (running|created)$/);
    const names = rows.map((row) => row.split(" ")[0] ?? "");
    await box.ok("rm", "-f", ...names);
    assert.equal(await box.ok("ps", "-aq"), "");
  });

  test("the executor: containers live on, their ends are told, and new ones start", async () => {
    await box.ok("run", "-d", "--name", "old", "busybox", "sh", "-c", counting);
    const killed = executorPid();
    process.kill(killed, "SIGKILL");
    assert.equal(await state("old"), "running 0");
    assert.equal(await box.ok("run", "--rm", "busybox", "echo", "new"), "new");
    assert.notEqual(executorPid(), killed);
    assert.equal(await box.ok("exec", "old", "echo", "inside"), "inside");
    await box.ok("stop", "old");
    assert.equal(await state("old"), "exited 4");
    await box.ok("rm", "old");
  });

  test("a monitor: its container has ended with 137, and the others do not notice", async () => {
    await box.ok("run", "-d", "--name", "victim", "busybox", "sh", "-c", `sleep 1000 & ${counting}`);
    await box.ok("run", "-d", "--name", "bystander", "busybox", "sleep", "1000");
    const waited = following("wait", "victim");
    const attached = following("attach", "--no-stdin", "victim");
    await eventually("it is attached", () => attached.output() !== "");
    process.kill(await monitorOf("victim"), "SIGKILL");
    assert.equal((await waited.ended)[0], 0);
    assert.equal(waited.output(), "137\n");
    assert.equal((await attached.ended)[0], 137, attached.output());
    assert.equal(await state("victim"), "exited 137");
    assert.equal(await state("bystander"), "running 0");
    assert.equal(await box.ok("start", "victim"), "victim");
    assert.equal(await state("victim"), "running 0");
    await box.ok("rm", "-f", "victim", "bystander");
  });

  test("a monitor of a container without a PID namespace: its processes are ended all the same", async () => {
    const script = "sleep 987 & echo $!; sleep 987";
    await box.ok("run", "-d", "--name", "victim", "--pid", "host", "busybox", "sh", "-c", script);
    const pid = await eventually("it runs", async () => (await box.ok("logs", "victim")).trim() || undefined);
    process.kill(await monitorOf("victim"), "SIGKILL");
    await eventually("its child is gone", () => !existsSync(`/proc/${pid}`));
    await eventually("it has ended", async () => (await state("victim")) === "exited 137");
    await box.ok("rm", "victim");
  });

  test("a start that fails leaves no socket, and the next one gets as far again", async () => {
    const [sockets, source] = [join(box.layout.run, "monitors"), join(box.directory, "source")];
    mkdirSync(source);
    await box.ok("create", "--name", "again", "-v", `${source}:/x`, "busybox", "/x/program");
    await box.ok("run", "-d", "--name", "other", "busybox", "sleep", "1000");
    const before = readdirSync(sockets);
    for (const _ of [1, 2]) {
      await box.fails({ status: 1, stderr: /"\/x\/program": no such file or directory/ }, "start", "again");
    }
    assert.equal((await box.run(["exec", "other", "nosuch"])).status, 127);
    assert.notEqual((await box.run(["exec", "-w", "/nosuch", "other", "true"])).status, 0);
    assert.deepEqual(readdirSync(sockets), before);
    writeFileSync(join(source, "program"), "#!/bin/sh\necho started\n", { mode: 0o755 });
    assert.equal(await box.ok("start", "-a", "again"), "started");
    await box.ok("rm", "-f", "again", "other");
    await eventually("no socket is left", () => readdirSync(sockets).length === 0);
  });

  test("daemon, executor and a monitor at once", async () => {
    await box.ok("run", "-d", "--name", "victim", "busybox", "sleep", "1000");
    await box.ok("run", "-d", "--name", "bystander", "busybox", "sleep", "1000");
    process.kill(await monitorOf("victim"), "SIGKILL");
    process.kill(executorPid(), "SIGKILL");
    await box.crash();
    assert.equal(await state("victim"), "exited 137");
    assert.equal(await state("bystander"), "running 0");
    assert.equal(await box.ok("exec", "bystander", "echo", "here"), "here");
    await box.ok("rm", "-f", "victim", "bystander");
  });
});
