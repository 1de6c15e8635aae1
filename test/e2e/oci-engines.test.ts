import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ForeignEngine } from "../support/foreign-engine.ts";
import { busybox, dockerArchive, tar } from "../support/images.ts";
import { sampanRuntime } from "../support/oci.ts";
import { eventually } from "../support/process.ts";
import { program, requires, requiresRoot } from "../support/requires.ts";
import { openTerminal } from "../support/terminal.ts";

/** SAMPAN_TEST_RUNTIME=runc: the same by another runtime, which proves the scenarios. */
const runtime = process.env.SAMPAN_TEST_RUNTIME;
const binary = runtime === undefined ? sampanRuntime : (program(runtime) ?? runtime);

const image = "example.com/tests/busybox:1";

async function archive(): Promise<Buffer> {
  const { layers, config } = await busybox();
  const files = await tar([
    { name: "data", type: "directory", mode: 0o750, uid: 1000, gid: 2000 },
    { name: "data/inner", type: "directory", mode: 0o701 },
    { name: "data/inner/file", body: "of the image\n", mode: 0o640, uid: 1000 },
    { name: "data/link", type: "symlink", linkname: "inner/file" },
    { name: "run", type: "directory", mode: 0o755 },
    { name: "run/kept", body: "kept\n" },
  ]);
  return await dockerArchive({ layers: [...layers, files], config }, [image]);
}

for (const name of ["dockerd", "podman"] as const) {
  const missing = requires(name === "podman" ? "podman" : "dockerd", "docker", "tini", "tmux", "nsenter");
  describe(`${name} with this runtime`, "skip" in missing ? missing : requiresRoot(), () => {
    let engine: ForeignEngine;
    const ok = (...args: string[]) => engine.ok(...args);
    const inspect = (container: string, format: string) => ok("inspect", "-f", format, container);
    const background = (...args: string[]) => ok("run", "-d", ...args);

    before(async () => {
      engine = await ForeignEngine.open(name, binary);
      const { status, stderr } = await engine.run(["load", "-q"], { input: await archive() });
      assert.equal(status, 0, stderr);
    });
    after(async () => {
      for (const id of (await ok("ps", "-aq")).split("\n").filter(Boolean))
        await ok("rm", "-f", ...(name === "podman" ? ["-t", "0"] : []), id);
      assert.deepEqual(await engine.close(), []);
    });

    test("run: streams, status, user, environment, directory and host name", async () => {
      const line = "cat; echo err >&2; id -u; id -g; pwd; echo $X; hostname; ulimit -n; exit 7";
      const who = [
        "-u",
        "1000:2000",
        "-e",
        "X=y",
        "-w",
        "/data",
        "--hostname",
        "here",
        "--ulimit",
        "nofile=200:300",
        "--ulimit",
        "nproc=100:100",
      ];
      const argv = ["run", "--rm", "-i", ...who, image, "sh", "-c", line];
      const { status, stdout, stderr } = await engine.run(argv, { input: "in\n" });
      assert.deepEqual(
        { status, stdout, stderr },
        { status: 7, stdout: "in\n1000\n2000\n/data\ny\nhere\n200\n", stderr: "err\n" },
      );
    });

    test("a program that is not there is told as the engine's users know it: status 127", async () => {
      const { status, stderr } = await engine.run(["run", "--rm", image, "/no/such"]);
      assert.equal(status, 127);
      assert.match(stderr, /no such file or directory/);
    });

    test("rights: capabilities, privileges, the default filter, hidden and protected paths", async () => {
      const line =
        "grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status; cat /proc/kcore | wc -c; touch /proc/sys/a";
      const options = ["--cap-drop", "all", "--security-opt", "no-new-privileges"];
      const { stdout } = await engine.run(["run", "--rm", ...options, image, "sh", "-c", line]);
      assert.deepEqual(stdout.split(/\s+/).filter(Boolean), [
        ...["CapEff:", "0000000000000000", "CapBnd:", "0000000000000000"],
        ...["NoNewPrivs:", "1", "Seccomp:", "2", "0"],
      ]);
    });

    test("exec: user, environment, directory, status; in the background, too", async () => {
      await background("--name", "target", "--ipc", "shareable", image, "sleep", "1000");
      const line = "id -u; echo $X; pwd; readlink /proc/self/ns/pid; exit 3";
      const { status, stdout } = await engine.run([
        ...["exec", "-u", "1000", "-e", "X=y", "-w", "/data", "target"],
        ...["sh", "-c", line],
      ]);
      const own = await ok("exec", "target", "readlink", "/proc/1/ns/pid");
      assert.deepEqual({ status, stdout }, { status: 3, stdout: `1000\ny\n/data\n${own}\n` });
      await ok("exec", "-d", "target", "sh", "-c", "echo done >/tmp/done; sleep 1000");
      await eventually("the other process has run", async () => {
        return (await engine.run(["exec", "target", "cat", "/tmp/done"])).stdout === "done\n";
      });
      assert.match(await ok("top", "target"), /sleep 1000[\s\S]*sleep 1000/);
      const missing = await engine.run(["exec", "target", "/no/such"]);
      assert.ok([126, 127].includes(missing.status), `${missing.status}: ${missing.stderr}`);
    });

    test("another container joins its namespaces", async () => {
      const joined = ["--network", "container:target", "--pid", "container:target", "--ipc", "container:target"];
      const kinds = "for n in net pid ipc; do readlink /proc/self/ns/$n; done";
      const theirs = await ok("exec", "target", "sh", "-c", kinds);
      assert.equal(await ok("run", "--rm", ...joined, image, "sh", "-c", kinds), theirs);
    });

    test("a terminal: of run and of exec, with its size and what is typed", async () => {
      const env = { ...process.env, TERM: "xterm" };
      const shell = ["-i", "-t", ...(name === "podman" ? [] : ["-e", "TERM=xterm"])];
      for (const [index, args] of [
        ["run", "--rm", ...shell, image, "sh"],
        ["exec", ...shell, "target", "sh"],
      ].entries()) {
        await using terminal = await openTerminal(
          engine.directory,
          ["sh", "-c", '"$@"; echo ended with $?', "sh", ...engine.command(args)],
          env,
        );
        await terminal.shows(/[#$]\s*$/);
        // The shell is there before the size that docker sends after the start
        await eventually("its size is there", async () => {
          await terminal.type("clear; stty size; tty\n");
          return /^24 80\n\/dev\/pts\/\d/m.test(await terminal.screen());
        });
        // Between docker's first look at the size and its first ear for changes, one may be missed; and podman loses what is still
        // on its way when the container ends
        let columns = 100;
        const seen = async () => {
          await terminal.type("clear; stty size\n");
          return (await terminal.screen()).includes(`30 ${columns}`);
        };
        await eventually("its new size is there", async () => {
          await terminal.resize(++columns, 30);
          return await eventually("this size is there", seen, 1000).catch(() => false);
        });
        await terminal.type(`exit 1${index}\n`);
        await terminal.shows(new RegExp(`ended with 1${index}`));
      }
    });

    test("limits: memory, processes, CPU time; update changes them", async () => {
      const limits = ["--memory", "64m", "--pids-limit", "50", "--cpus", "0.5"];
      await background("--name", "limited", ...limits, image, "sleep", "1000");
      const either = (...files: string[]) =>
        `cat ${files.map((file) => `/sys/fs/cgroup/${file}`).join(" ")} 2>/dev/null`;
      const read = async (...files: string[]) =>
        (await engine.run(["exec", "limited", "sh", "-c", either(...files)])).stdout;
      const memory = () => read("memory/memory.limit_in_bytes", "memory.max");
      assert.equal(await memory(), `${64 << 20}\n`);
      assert.equal(await read("pids/pids.max", "pids.max"), "50\n");
      assert.match(await read("cpu/cpu.cfs_quota_us", "cpu.max"), /^50000\b/);
      await ok("update", "--memory", "96m", ...(name === "podman" ? [] : ["--memory-swap", "192m"]), "limited");
      assert.equal(await memory(), `${96 << 20}\n`);
      assert.match(await ok("stats", "--no-stream", "limited"), /limited .*\d+(\.\d+)?(kB|KiB|MiB)/);
    });

    test("who takes more memory than there is gets killed, which dockerd knows", async () => {
      const { status } = await engine.run(["run", "--name", "greedy", "--memory", "16m", image, "tail", "/dev/zero"]);
      assert.equal(status, 137);
      // podman's monitor does not see it on cgroup v1 by runc either
      if (name === "dockerd") assert.equal(await inspect("greedy", "{{.State.OOMKilled}}"), "true");
    });

    test("pause and unpause", async () => {
      await background("--name", "clock", image, "sh", "-c", "while :; do date +%s%N; usleep 10000; done");
      await eventually("it runs", async () => (await ok("logs", "clock")) !== "");
      await ok("pause", "clock");
      assert.equal(await inspect("clock", "{{.State.Status}}"), "paused");
      assert.notEqual((await engine.run(["exec", "clock", "true"])).status, 0);
      const still = await ok("logs", "clock");
      assert.equal(await ok("logs", "clock"), still);
      await ok("unpause", "clock");
      assert.equal(await inspect("clock", "{{.State.Status}}"), "running");
      await eventually("it goes on", async () => (await ok("logs", "clock")) !== still);
    });

    test("health checks", async () => {
      const check = ["--health-cmd", "test -e /tmp/well", "--health-interval", "1s", "--health-retries", "1"];
      await background("--name", "patient", ...check, image, "sleep", "1000");
      // podman has systemd's timers run its checks, which is not here
      const health = async () => {
        if (name === "podman") await engine.run(["healthcheck", "run", "patient"]);
        return await inspect("patient", "{{.State.Health.Status}}");
      };
      await eventually("it is unwell", async () => (await health()) === "unhealthy");
      await ok("exec", "patient", "touch", "/tmp/well");
      await eventually("it is well", async () => (await health()) === "healthy");
    });

    test("restart policies", async () => {
      await background("--name", "stumbling", "--restart", "on-failure:2", image, "sh", "-c", "echo ran; exit 5");
      const state = () => inspect("stumbling", "{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}");
      await eventually("it was given up", async () => (await state()) === "2 exited 5", 30_000);
      assert.equal(await ok("logs", "stumbling"), "ran\nran\nran");
    });

    test("stop, start again, kill and remove", async () => {
      const line = "trap 'exit 5' TERM; echo up; while :; do usleep 10000; done";
      await background("--name", "service", image, "sh", "-c", line);
      const ups = async () => (await ok("logs", "service")).split("\n").filter((said) => said === "up").length;
      await eventually("it is up", async () => (await ups()) === 1);
      await ok("stop", "service");
      assert.equal(await inspect("service", "{{.State.ExitCode}}"), "5");
      await ok("start", "service");
      await eventually("it is up again", async () => (await ups()) === 2);
      await ok("kill", "--signal", "KILL", "service");
      assert.equal(await ok("wait", "service"), "137");
      await ok("rm", "service");
      assert.notEqual((await engine.run(["inspect", "service"])).status, 0);
    });

    test("volumes and binds; a device; kernel parameters", async () => {
      writeFileSync(join(engine.directory, "shared"), "outside\n");
      const mounts = [
        "-v",
        "kept:/kept",
        "-v",
        `${engine.directory}/shared:/shared:ro`,
        "--device",
        "/dev/null:/dev/other",
      ];
      const options = ["--sysctl", "net.ipv4.ip_forward=1", "--shm-size", "8m"];
      const line = [
        "cat /shared; echo x >/kept/file; (echo no >/shared) 2>/dev/null || echo refused; test -c /dev/other && echo device",
        "cat /proc/sys/net/ipv4/ip_forward; df -k /dev/shm | awk 'NR > 1 { print $2 }'",
      ].join("; ");
      const said = await ok("run", "--rm", ...mounts, ...options, image, "sh", "-c", line);
      assert.equal(said, "outside\nrefused\ndevice\n1\n8192");
      assert.equal(await ok("run", "--rm", "-v", "kept:/kept", image, "cat", "/kept/file"), "x");
      await ok("volume", "rm", "kept");
    });

    test("--tmpfs: podman has the image's files copied into it", async () => {
      const line =
        "stat -f -c %T /data; stat -c '%a %u %g' /data; cat /data/link 2>/dev/null && stat -c '%a %u' /data/inner /data/inner/file; echo x >/data/new && echo writable";
      const said = await ok("run", "--rm", "--tmpfs", "/data", image, "sh", "-c", line);
      const copied = "of the image\n701 0\n640 1000\n";
      assert.match(said, name === "podman" ? new RegExp(`^tmpfs\n.*\n${copied}writable$`) : /^tmpfs\n.*\nwritable$/);
    });

    test("--read-only: the root is, and podman gives it writable /run and /tmp with the image's files", async () => {
      const line = "(echo x >/data/new) 2>/dev/null || echo refused; echo x 2>/dev/null >/run/new && cat /run/kept";
      const { stdout } = await engine.run(["run", "--rm", "--read-only", image, "sh", "-c", line]);
      assert.equal(stdout, name === "podman" ? "refused\nkept\n" : "refused\n");
    });
  });
}
