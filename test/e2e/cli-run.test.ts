import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { docker, dockerIsRecent } from "../support/docker.ts";
import { busybox, dockerArchive } from "../support/images.ts";
import { eventually } from "../support/process.ts";
import { requires } from "../support/requires.ts";
import { sampan, sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

async function outcome(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const { status, stdout, stderr } = await box.run(args);
  return { status, out: stdout, err: stderr };
}

/** The output of a command in a container of its own, with flags. */
function inContainer(flags: readonly string[], script: string): Promise<string> {
  return box.ok("run", "--rm", ...flags, "busybox", "sh", "-c", script);
}

suite("sampan run and its companions", requires("busybox"), () => {
  before(async () => {
    const archive = join(box.directory, "busybox.tar");
    writeFileSync(archive, await dockerArchive(await busybox(), ["busybox:latest", "busybox:two"]));
    assert.equal(await box.ok("load", "-i", archive), "Loaded image: busybox:latest\nLoaded image: busybox:two");
  });

  test("output goes where it belongs and the exit code is the container's", async () => {
    const run = await outcome("run", "--rm", "busybox", "sh", "-c", "echo out; echo err >&2; exit 7");
    assert.deepEqual(run, { status: 7, out: "out\n", err: "err\n" });
    assert.equal(await box.ok("ps", "-aq"), "");
  });

  test("stdin arrives whole, and its end", async () => {
    const input = Buffer.alloc(3 << 20, "0123456789abcde\n");
    const { status, bytes } = await box.run(["run", "--rm", "-i", "busybox", "cat"], { input });
    assert.equal(status, 0);
    assert.ok(bytes.equals(input), "the bytes have changed on their way");
  });

  test("without -i there is no stdin", async () => {
    const { status, stdout } = await box.run(["run", "--rm", "busybox", "cat"], { input: "lost" });
    assert.deepEqual([status, stdout], [0, ""]);
  });

  test("what cannot run ends with 125, 126 or 127 and says why", async () => {
    await box.fails(
      { status: 127, stderr: /"nosuch": executable file not found in \$PATH/ },
      "run",
      "--rm",
      "busybox",
      "nosuch",
    );
    await box.fails({ status: 126, stderr: /permission denied/ }, "run", "--rm", "busybox", "/etc/passwd");
    await box.fails(
      { status: 125, stderr: /unable to find user nosuch/ },
      "run",
      "--rm",
      "-u",
      "nosuch",
      "busybox",
      "true",
    );
    const refused = { status: 125, stderr: /^sampan: Error response from daemon: No such image: nosuch:latest$/m };
    await box.fails(refused, "run", "--rm", "--pull", "never", "nosuch");
    assert.equal(await box.ok("ps", "-aq"), "");
  });

  test("a signal that ends the container is told by the exit code", async () => {
    const { status } = await outcome("run", "--rm", "--init", "busybox", "sh", "-c", "kill -9 $$");
    assert.equal(status, 137);
  });

  test("process flags: environment, directory, user, entry point, names", async () => {
    const file = join(box.directory, "env");
    writeFileSync(file, "# said\nFROM_FILE=1\nHERE\nNOT_HERE\n");
    const { stdout } = await box.run(
      ["run", "--rm", "-e", "A=b c", "-e", "HERE", "--env-file", file, "busybox", "env"],
      { env: { HERE: "there" } },
    );
    assert.deepEqual(
      stdout
        .split("\n")
        .filter((line) => /^(A|HERE|FROM_FILE|NOT_HERE)=/.test(line))
        .sort(),
      ["A=b c", "FROM_FILE=1", "HERE=there"],
    );
    assert.equal(
      await inContainer(["-w", "/tmp", "-u", "tester", "--group-add", "7"], "pwd; id -u; id -G"),
      "/tmp\n1000\n1000 7 2000",
    );
    assert.equal(await inContainer(["-h", "box"], "hostname"), "box");
    assert.equal(await box.ok("run", "--rm", "--entrypoint", "echo", "busybox", "-n", "hi"), "hi");
  });

  test("mount flags: -v, --mount, --tmpfs, --read-only", async () => {
    writeFileSync(join(box.directory, "shared"), "content\n");
    assert.equal(
      await inContainer(["-v", "./shared:/s:ro"], "cat /s; echo x 2>/dev/null >/s || echo ro"),
      "content\nro",
    );
    const mounts = [
      "--mount",
      `type=bind,src=${box.directory},dst=/d,readonly`,
      "--mount",
      "type=tmpfs,dst=/t,tmpfs-size=1m",
    ];
    assert.equal(await inContainer(mounts, "cat /d/shared; df -k /t | tail -n 1 | awk '{print $2}'"), "content\n1024");
    assert.equal(await inContainer(["--tmpfs", "/t:size=2m"], "df -k /t | tail -n 1 | awk '{print $2}'"), "2048");
    assert.equal(await inContainer(["--read-only"], "echo 2>/dev/null >/x || echo ro"), "ro");
  });

  test("security flags: capabilities, privileges, seccomp, rlimits", async () => {
    const status = "grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status | awk '{print $2}'";
    const confined = ["--cap-drop", "ALL", "--cap-add", "CHOWN", "--security-opt", "no-new-privileges"];
    assert.equal(await inContainer(confined, status), "0000000000000001\n1\n2");
    assert.match(
      await inContainer(["--privileged", "--security-opt", "seccomp=unconfined"], status),
      /^0000\w+\n0\n0$/,
    );
    const profile = join(box.directory, "profile.json");
    const rules = [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO" }];
    writeFileSync(profile, JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW", syscalls: rules }));
    assert.equal(await inContainer(["--security-opt", `seccomp=${profile}`], "mkdir /x 2>/dev/null || echo no"), "no");
    assert.equal(await inContainer(["--ulimit", "nofile=100:200"], "ulimit -Sn; ulimit -Hn"), "100\n200");
  });

  test("flags that reach other containers: --volumes-from, --pid, --network container:", async () => {
    const keep = ["run", "-d", "--name", "first", "-v", "/data", "--mount", "type=volume,src=shared,dst=/shared"];
    await box.ok(...keep, "busybox", "sh", "-c", "echo a > /data/x; echo b > /shared/y; exec sleep 1000");
    await eventually("it has written", async () => (await outcome("exec", "first", "cat", "/shared/y")).status === 0);
    assert.equal(
      await inContainer(["--volumes-from", "first:ro"], "cat /data/x; touch /data/z 2>/dev/null || echo no"),
      "a\nno",
    );
    assert.equal(await inContainer(["-v", "shared:/s"], "cat /s/y"), "b");
    assert.match(await inContainer(["--pid", "container:first"], "ps"), /^ +1 root .*sleep 1000$/m);
    const namespace = await box.ok("exec", "first", "readlink", "/proc/self/ns/net");
    assert.equal(await inContainer(["--network", "container:first"], "readlink /proc/self/ns/net"), namespace);
    assert.equal(await box.ok("rm", "-fv", "first"), "first");
  });

  test("--restart, --log-driver, --log-opt, --sysctl, --cgroupns", async () => {
    const flaky = [
      "run",
      "-d",
      "--name",
      "flaky",
      "--restart",
      "on-failure:2",
      "busybox",
      "sh",
      "-c",
      "echo try; exit 3",
    ];
    await box.ok(...flaky);
    await eventually("it has given up", async () => {
      const state = await box.ok("inspect", "-f", "{{.State.Status}} {{.RestartCount}}", "flaky");
      return state === "exited 2" || undefined;
    });
    assert.equal(await box.ok("logs", "flaky"), "try\ntry\ntry");
    await box.ok("rm", "flaky");
    const limited = ["--log-driver", "json-file", "--log-opt", "max-size=1k", "--log-opt", "max-file=1"];
    await box.ok("run", "--name", "short", ...limited, "busybox", "sh", "-c", "seq 1 200000");
    const kept = (await box.ok("logs", "short")).split("\n");
    assert.deepEqual([kept.length < 100000, kept.at(-1)], [true, "200000"]);
    await box.ok("rm", "short");
    await box.ok("run", "--name", "silent", "--log-driver", "none", "busybox", "echo", "x");
    assert.match((await outcome("logs", "silent")).err, /does not support reading/);
    await box.ok("rm", "silent");
    assert.equal(await inContainer(["--sysctl", "kernel.msgmax=9000"], "cat /proc/sys/kernel/msgmax"), "9000");
    const cgroups = await inContainer(["--cgroupns", "host"], "readlink /proc/self/ns/cgroup");
    assert.equal(cgroups, readlinkSync("/proc/self/ns/cgroup"));
  });

  test("flags whose feature is not there are refused by name", async () => {
    const cases: readonly (readonly [flags: readonly string[], stderr: RegExp])[] = [
      [["--userns", "1000"], /"--userns" flag: invalid USER mode/],
      [["--gpus", "all"], /GPU devices are not in this version/],
      [["--security-opt", "apparmor=x"], /apparmor/i],
    ];
    for (const [flags, stderr] of cases) await box.fails({ status: 125, stderr }, "run", ...flags, "busybox", "true");
  });

  test("command lines that cannot be understood are refused as docker refuses them", async () => {
    await box.fails(
      { status: 125, stderr: /^unknown flag: --nme\n\nDid you mean --name\?\n\nUsage: {2}sampan run / },
      "run",
      "--nme",
      "x",
      "y",
    );
    await box.fails({ status: 1, stderr: /'sampan run' requires at least 1 argument/ }, "run");
    await box.fails({ status: 1, stderr: /unknown command: sampan stpo\n\nDid you mean 'sampan stop'\?/ }, "stpo");
    await box.fails({ status: 1, stderr: /unknown command: sampan image lss/ }, "image", "lss");
    await box.fails(
      { status: 125, stderr: /invalid argument "64q" for "-m, --memory" flag: invalid suffix: 'q'/ },
      "run",
      "-m",
      "64q",
      "x",
    );
    await box.fails({ status: 1, stderr: /^the input device is not a TTY$/m }, "run", "-it", "busybox");
    await box.fails(
      { status: 1, stderr: /^failed to parse template: template: :1: unclosed action$/m },
      "ps",
      "--format",
      "{{.ID",
    );
  });

  test("run -d, --name, --cidfile, --label, ps, inspect, rm", async () => {
    const cidfile = join(box.directory, "cid");
    const id = await box.ok(
      "run",
      "-d",
      "--name",
      "named",
      "--cidfile",
      cidfile,
      "-l",
      "a=b",
      "busybox",
      "sleep",
      "100",
    );
    assert.match(id, /^[0-9a-f]{64}$/);
    assert.equal(readFileSync(cidfile, "utf8"), id);
    await box.fails({ status: 125, stderr: /container ID file found/ }, "run", "--cidfile", cidfile, "busybox");
    await box.fails(
      { status: 125, stderr: /Conflict\. The container name "\/named" is already in use/ },
      "create",
      "--name",
      "named",
      "busybox",
    );
    assert.equal(await box.ok("ps", "--format", '{{.ID}} {{.Names}} {{.Label "a"}}'), `${id.slice(0, 12)} named b`);
    assert.equal(await box.ok("ps", "-q", "--filter", "label=a=b", "--no-trunc"), id);
    assert.equal(
      await box.ok("inspect", "-f", "{{.State.Status}} {{.Config.Labels.a}} {{json .Args}}", "named"),
      'running b ["100"]',
    );
    const both = await outcome("inspect", "named", "nosuch");
    assert.deepEqual([both.status, both.err], [1, "Error: No such object: nosuch\n"]);
    assert.equal(JSON.parse(both.out)[0].Id, id);
    await box.fails({ status: 1, stderr: /cannot remove/i }, "rm", "named");
    const removed = await outcome("rm", "-f", "named", "nosuch");
    assert.deepEqual([removed.status, removed.out], [0, "named\n"]);
    assert.match(removed.err, /No such container: nosuch/);
  });

  test("create, start -a, exec, logs, stop, wait, kill", async () => {
    await box.ok(
      "create",
      "--name",
      "life",
      "busybox",
      "sh",
      "-c",
      "echo started; trap 'exit 4' TERM; sleep 100 & wait",
    );
    assert.equal(await box.ok("start", "life"), "life");
    assert.equal(await box.ok("start", "life"), "life");
    const exec = await outcome("exec", "-e", "X=y", "-w", "/tmp", "life", "sh", "-c", "echo $X; pwd; exit 9");
    assert.deepEqual(exec, { status: 9, out: "y\n/tmp\n", err: "" });
    const { stdout } = await box.run(["exec", "-i", "life", "wc", "-c"], { input: "12345" });
    assert.equal(stdout.trim(), "5");
    assert.equal(await box.ok("logs", "life"), "started");
    assert.match(await box.ok("logs", "-t", "--tail", "1", "life"), /^\d{4}-\d\d-\d\dT[\d:.]+Z started$/);
    const waiting = box.ok("wait", "life");
    assert.equal(await box.ok("stop", "-t", "5", "life"), "life");
    assert.equal(await waiting, "4");
    const again = outcome("start", "-a", "life");
    await eventually("it runs", async () => (await box.ok("ps", "-q", "--filter", "name=life")) !== "");
    await eventually("it is killed", async () => (await outcome("kill", "life")).status === 0);
    assert.equal((await again).status, 137);
    await box.fails({ status: 1, stderr: /is not running/ }, "exec", "life", "true");
    await box.ok("rm", "life");
  });

  test("signals are passed on, unless --sig-proxy=false", async () => {
    const script = "trap 'echo got; exit 5' TERM; echo ready; while :; do sleep 0.05; done";
    const child = spawn(sampan, ["run", "--rm", "--name", "sig", "busybox", "sh", "-c", script], { env: box.env });
    let said = "";
    child.stdout.on("data", (chunk) => {
      said += chunk;
    });
    await eventually("the container is ready", () => said.includes("ready"));
    child.kill("SIGTERM");
    const [status] = await once(child, "close");
    assert.deepEqual([status, said], [5, "ready\ngot\n"]);
  });

  test("a reader that goes away ends the command, not the container", async () => {
    await box.ok("run", "-d", "--name", "talker", "busybox", "sh", "-c", "while :; do echo line; done");
    const child = spawn(sampan, ["logs", "-f", "talker"], { env: box.env, stdio: ["ignore", "pipe", "pipe"] });
    await once(child.stdout, "data");
    child.stdout.destroy();
    const [status] = await once(child, "exit");
    assert.equal(status, 141);
    assert.equal(await box.ok("inspect", "-f", "{{.State.Running}}", "talker"), "true");
    await box.ok("rm", "-f", "talker");
  });

  test("images, image ls, rmi", async () => {
    const lines = (await box.ok("images", "--format", "{{.Repository}}:{{.Tag}}")).split("\n");
    assert.ok(lines.includes("busybox:latest") && lines.includes("busybox:two"), lines.join());
    assert.equal(
      await box.ok("image", "ls", "-q", "busybox:two", "--no-trunc"),
      await box.ok("image", "inspect", "-f", "{{.Id}}", "busybox"),
    );
    assert.match(await box.ok("rmi", "busybox:two"), /^Untagged: busybox:two$/);
    await box.fails({ status: 1, stderr: /No such image: busybox:two/ }, "rmi", "busybox:two");
  });

  test("help needs no daemon and names every command", async () => {
    const help = await box.ok("--help");
    for (const name of ["run", "exec", "ps", "logs", "container", "image", "system", "daemon"]) {
      assert.match(help, new RegExp(`^ {2}${name} `, "m"));
    }
    assert.match(await box.ok("run", "--help"), /^ {2}-m, --memory bytes +Memory limit$/m);
    assert.match(await box.ok("container", "ls", "--help"), /Aliases:\n {2}sampan ps, sampan container ls/);
    assert.match(await box.ok("--version"), /^Sampan version \d/);
  });

  test("--explain prints the program and starts nothing", async () => {
    const text = await box.ok("run", "--explain", "-m", "64m", "busybox", "true");
    assert.match(text, /clone\(/);
    assert.match(text, /pivot_root/);
    assert.match(text, /execve/);
    assert.equal(await box.ok("ps", "-aq"), "");
  });
});

suite("what the two command lines print of one daemon", requires("busybox", "docker"), () => {
  test("is the same: ps, images, inspect", async () => {
    await box.ok("run", "-d", "--name", "same", "-l", "x=y", "busybox", "sleep", "100");
    await box.run(["run", "--name", "ended", "busybox", "false"]);
    const inspections = [
      ["inspect", "same", "ended"],
      ["image", "inspect", "busybox"],
    ];
    const commands = [
      [
        "ps",
        "-a",
        "--no-trunc",
        "--format",
        "table {{.ID}}\\t{{.Image}}\\t{{.Command}}\\t{{.Names}}\\t{{.State}}\\t{{.Labels}}",
      ],
      ["ps", "-aq"],
      ["images", "busybox"],
      ["images", "--no-trunc", "--digests", "busybox"],
      ...(dockerIsRecent() ? inspections : []),
      ["inspect", "-f", "{{range .Config.Cmd}}<{{.}}>{{end}} {{.HostConfig.NetworkMode}} {{len .Mounts}}", "same"],
      ["logs", "ended"],
      ["wait", "ended"],
    ];
    for (const args of commands) {
      const [ours, theirs] = [await box.run(args), await docker(box, args)];
      const tidy = (text: string): string => text.replace(/[ \t]+$/gm, "");
      assert.deepEqual([ours.status, tidy(ours.stdout)], [theirs.status, tidy(theirs.stdout)], args.join(" "));
    }
    await box.ok("rm", "-f", "same", "ended");
    assert.ok(existsSync(box.layout.apiSocket));
  });
});
