import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { docker, dockerEnv, dockerOf } from "../support/docker.ts";
import { busybox, dockerArchive } from "../support/images.ts";
import { eventually, type RunOptions } from "../support/process.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";
import { openTerminal } from "../support/terminal.ts";

const box = sandbox({ start: true });

/** Runs docker, which has to succeed; its output without the last line's end. */
const { ok } = dockerOf(box);

async function outcome(
  args: string[],
  options: RunOptions = {},
): Promise<{ status: number; out: string; err: string }> {
  const { status, stdout, stderr } = await docker(box, args, options);
  return { status, out: stdout, err: stderr };
}

suite("the stock docker command line", requires("docker", "busybox"), () => {
  before(async () => {
    const archive = await dockerArchive(await busybox(), ["busybox:latest", "busybox:one"]);
    const { status, out, err } = await outcome(["load"], { input: archive });
    assert.equal(status, 0, err);
    assert.match(out, /Loaded image: busybox:latest/);
  });

  test("version and info", async () => {
    assert.match(await ok("version", "--format", "{{.Server.APIVersion}} {{.Server.Os}}"), /^1\.\d+ linux$/);
    assert.match(await ok("info", "--format", "{{.Driver}} {{.CgroupVersion}} {{.OSType}}"), /^overlay\S* [12] linux$/);
  });

  test("images and rmi", async () => {
    const format = ["--format", "{{.Repository}}:{{.Tag}}"];
    assert.ok((await ok("images", ...format)).split("\n").includes("busybox:one"));
    assert.match(await ok("rmi", "busybox:one"), /Untagged: busybox:one/);
    assert.ok(!(await ok("images", ...format)).split("\n").includes("busybox:one"));
    const missing = await outcome(["rmi", "nosuch"]);
    assert.deepEqual([missing.status, /No such image: nosuch/.test(missing.err)], [1, true], missing.err);
  });

  test("run --rm: output, errors apart, exit status", async () => {
    const run = await outcome(["run", "--rm", "busybox", "sh", "-c", "echo out; echo err >&2; exit 7"]);
    assert.deepEqual(run, { status: 7, out: "out\n", err: "err\n" });
    assert.equal(await ok("ps", "-aq"), "");
  });

  test("run -i: stdin reaches the program and its end, too", async () => {
    const input = "x".repeat(1 << 20);
    const { status, out } = await outcome(["run", "--rm", "-i", "busybox", "wc", "-c"], { input });
    assert.deepEqual([status, out.trim()], [0, String(input.length)]);
  });

  test("why a start fails is said once, with --rm, too", async () => {
    for (const flags of [["--rm"], ["--rm", "-i"]]) {
      const { status, err } = await outcome(["run", ...flags, "busybox", "nosuch"]);
      assert.equal(status, 127);
      assert.match(err, /^docker: Error response from daemon: .*nosuch/);
      assert.doesNotMatch(err, /waiting for container/);
    }
  });

  test("exit codes of what cannot run", async () => {
    assert.equal((await outcome(["run", "--rm", "busybox", "nosuch"])).status, 127);
    assert.equal((await outcome(["run", "--rm", "busybox", "/etc/passwd"])).status, 126);
    assert.equal((await outcome(["run", "--rm", "--user", "nosuch", "busybox", "true"])).status, 125);
    const missing = await outcome(["run", "--rm", "--pull", "never", "nosuch", "true"]);
    assert.deepEqual([missing.status, /No such image: nosuch:latest/.test(missing.err)], [125, true], missing.err);
    assert.equal(await ok("ps", "-aq"), "");
  });

  test("run -d, ps, logs, inspect, exec, stop, start, rm", async () => {
    const loop = "trap 'echo bye; exit 3' TERM; i=0; while :; do echo tick $i; i=$((i+1)); sleep 0.1; done";
    const id = await ok("run", "-d", "--name", "loop", "-e", "A=b", "--label", "k=v", "busybox", "sh", "-c", loop);
    assert.match(id, /^[0-9a-f]{64}$/);
    assert.match(await ok("ps", "--format", "{{.Names}} {{.Image}} {{.Status}}"), /^loop busybox Up /);
    await eventually("it ticks", async () => (await ok("logs", "loop")).includes("tick 2"));
    assert.equal(await ok("logs", "--tail", "0", "loop"), "");
    assert.match(await ok("logs", "-t", "loop"), /^\d{4}-\d\d-\d\dT[\d:.]+Z tick 0$/m);
    assert.equal(
      await ok("inspect", "-f", "{{.State.Status}} {{.Config.Labels.k}} {{.Id}}", "loop"),
      `running v ${id}`,
    );
    assert.equal(await ok("exec", "loop", "sh", "-c", "echo $A; hostname"), `b\n${id.slice(0, 12)}`);
    assert.equal((await outcome(["exec", "loop", "sh", "-c", "exit 9"])).status, 9);
    assert.equal((await outcome(["exec", "-i", "loop", "cat"], { input: "piped" })).out, "piped");
    assert.match((await outcome(["rm", "loop"])).err, /container is running/i);
    assert.equal(await ok("stop", "loop"), "loop");
    assert.match(await ok("logs", "loop"), /bye\s*$/);
    assert.equal(await ok("wait", "loop"), "3");
    assert.match(await ok("ps", "-a", "--format", "{{.Status}}"), /^Exited \(3\) /);
    assert.equal(await ok("start", "loop"), "loop");
    assert.equal(await ok("kill", "loop"), "loop");
    assert.equal(await ok("wait", "loop"), "137");
    assert.equal(await ok("rm", "loop"), "loop");
    assert.match((await outcome(["inspect", "loop"])).err, /No such object: loop/i);
  });

  test("logs -f ends with the container", async () => {
    await ok("run", "-d", "--name", "brief", "busybox", "sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.2; done");
    assert.equal(await ok("logs", "-f", "brief"), "1\n2\n3");
    await ok("rm", "brief");
  });

  test("a name is taken once", async () => {
    await ok("create", "--name", "twin", "busybox");
    const { status, err } = await outcome(["create", "--name", "twin", "busybox"]);
    assert.deepEqual(
      [status, /Conflict\. The container name "\/twin" is already in use by container/.test(err)],
      [1, true],
    );
    await ok("rm", "twin");
  });

  test("attach sees what comes and passes signals on", async () => {
    await ok(
      "run",
      "-d",
      "--name",
      "bell",
      "busybox",
      "sh",
      "-c",
      "trap 'echo rung; exit 5' INT; while :; do echo quiet; sleep 0.1; done",
    );
    const attached = spawn("docker", ["attach", "bell"], { env: dockerEnv(box), stdio: ["ignore", "pipe", "inherit"] });
    const said: string[] = [];
    attached.stdout.setEncoding("utf8").on("data", (text: string) => said.push(text));
    await eventually("it is attached", () => said.join("").includes("quiet\n"));
    attached.kill("SIGINT");
    const [code] = await once(attached, "close");
    assert.deepEqual([code, said.join("").replaceAll("quiet\n", "")], [5, "rung\n"]);
    await ok("rm", "-f", "bell");
  });

  test("run -it in a real terminal", requires("tmux"), async () => {
    const argv = ["docker", "run", "--rm", "-it", "busybox", "sh"];
    const terminal = await openTerminal(box.directory, argv, { ...dockerEnv(box), TERM: "screen" });
    try {
      await terminal.shows(/# ?$/m);
      await terminal.type("stty size; tty\n");
      await terminal.shows(/24 80[\s\S]*\/dev\/pts\/0/);
      await terminal.resize(100, 30);
      await terminal.type("sleep 0.5; stty size\n");
      await terminal.shows(/30 100/);
      await terminal.type("sh -c 'echo ru''ns; exec sleep 100'\n");
      await terminal.shows(/^runs$/m);
      await terminal.press("C-c");
      await terminal.type("echo st$((40+2))ll; exit\n");
      await terminal.shows(/st42ll/);
    } finally {
      await terminal.close();
    }
    await eventually("the container is gone", async () => (await ok("ps", "-aq")) === "");
  });

  test("mounts, user, working directory, limits", async () => {
    const data = join(box.directory, "data");
    const script = "id -u; pwd; cat /data/f; echo $HOSTNAME; touch /ro/x 2>&1; df -m /t | tail -n 1 | awk '{print $2}'";
    await eventually("data is there", async () => {
      const { mkdir, writeFile } = await import("node:fs/promises");
      await mkdir(data, { recursive: true });
      await writeFile(join(data, "f"), "bound\n");
      return true;
    });
    const mounts = ["-v", `${data}:/data`, "-v", `${data}:/ro:ro`, "--tmpfs", "/t:size=16m"];
    const process = ["-u", "tester", "-w", "/tmp", "--hostname", "named"];
    const out = await ok("run", "--rm", ...mounts, ...process, "busybox", "sh", "-c", script);
    assert.deepEqual(out.split("\n"), ["1000", "/tmp", "bound", "named", "touch: /ro/x: Read-only file system", "16"]);
  });
});
