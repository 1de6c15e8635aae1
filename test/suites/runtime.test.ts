import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { capabilityMask, defaultCapabilities } from "../../src/kernel/capabilities.ts";
import { literal } from "../../src/kernel/literal.ts";
import type { Step } from "../../src/kernel/program.ts";
import { defaultSeccompProfile, kernelVersionOf, seccompFilter } from "../../src/kernel/seccomp/index.ts";
import { hostArch } from "../../src/kernel/syscalls/index.ts";
import { execProgram } from "../../src/runtime/exec.ts";
import { ExecuteError } from "../../src/runtime/execute-error.ts";
import { testExecutor } from "../support/helper.ts";
import { HostContainers } from "../support/host-container.ts";
import { eventually } from "../support/process.ts";

const { executor, directory } = testExecutor();
const containers = new HostContainers(executor, directory);
after(() => containers.close());

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

test("every namespace is the container's own", async () => {
  const kinds = ["mnt", "pid", "ipc", "uts", "net", "cgroup"];
  const { stdout } = await containers.run(`for n in ${kinds.join(" ")}; do readlink /proc/self/ns/$n; done`);
  const own = kinds.map((kind) => readlinkSync(`/proc/self/ns/${kind}`));
  assert.equal(lines(stdout).length, kinds.length);
  assert.deepEqual(
    lines(stdout).filter((link) => own.includes(link)),
    [],
  );
});

test("namespaces of the machine are shared where that is asked for", async () => {
  const namespaces = { pid: "host", network: "host", ipc: "host", uts: "host", cgroup: "host" } as const;
  const { stdout } = await containers.run("for n in pid ipc uts net cgroup; do readlink /proc/self/ns/$n; done", {
    namespaces,
  });
  assert.deepEqual(
    lines(stdout),
    ["pid", "ipc", "uts", "net", "cgroup"].map((kind) => readlinkSync(`/proc/self/ns/${kind}`)),
  );
});

test("the process is PID 1, knows its name, sees only itself and the loopback interface, up", async () => {
  const { stdout } = await containers.run(
    "echo $$; hostname; ls -d /proc/[0-9]* | wc -l; cat /sys/class/net/lo/operstate; ls /sys/class/net; cat /sys/class/net/lo/flags",
  );
  const [pid, hostname, processes = "", , ...rest] = lines(stdout);
  assert.deepEqual([pid, hostname], ["1", "boat"]);
  assert.ok(Number(processes) <= 3, processes);
  assert.equal(Number(rest.at(-1)) & 1, 1, "IFF_UP");
});

test("no descriptor leaks in", async () => {
  const { stdout } = await containers.run("ls -l /proc/self/fd");
  const descriptors = [...stdout.matchAll(/ (\d+) -> (\S+)/g)].map(
    ([, fd, target]) => `${fd} ${target?.replace(/\d+/g, "N")}`,
  );
  assert.deepEqual(descriptors, ["0 /dev/null", "1 pipe:[N]", "2 pipe:[N]", "3 /proc/N/fd"]);
});

test("the capabilities are Docker's fourteen, for root only", async () => {
  const script = "grep -E '^Cap(Inh|Prm|Eff|Bnd|Amb)' /proc/self/status";
  const mask = capabilityMask(defaultCapabilities).toString(16).padStart(16, "0");
  const none = "0".repeat(16);
  const root = await containers.run(script);
  assert.deepEqual(
    lines(root.stdout).map((line) => line.split("\t")[1]),
    [none, mask, mask, mask, none],
  );
  const user = await containers.run(script, {
    process: { user: { uid: 1000, gid: 1000, additionalGids: [], home: "/" } },
  });
  assert.deepEqual(
    lines(user.stdout).map((line) => line.split("\t")[1]),
    [none, none, none, mask, none],
  );
});

test("the default seccomp filter is in force, with and without no_new_privs", async () => {
  const { program, flags } = seccompFilter(defaultSeccompProfile, {
    arch: hostArch(),
    kernel: kernelVersionOf(release()),
    capabilities: defaultCapabilities,
  });
  for (const noNewPrivileges of [false, true]) {
    const { stdout, stderr } = await containers.run(
      "grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status; unshare -U true || echo refused",
      {
        process: { seccomp: { filter: program, flags }, noNewPrivileges },
      },
    );
    assert.deepEqual(lines(stdout), [`NoNewPrivs:\t${Number(noNewPrivileges)}`, "Seccomp:\t2", "refused"], stderr);
  }
});

test("user, groups, working directory, environment, umask and limits are as wanted", async () => {
  const { stdout, stderr } = await containers.run(
    "id -u; id -g; id -G; pwd; echo $GREETING; umask; ulimit -n; ulimit -Hn; ulimit -c",
    {
      process: {
        user: { uid: 1234, gid: 2345, additionalGids: [3456, 4567], home: "/" },
        cwd: "/work/deep",
        env: ["PATH=/usr/bin:/bin", "GREETING=hello there"],
        umask: 0o027,
        rlimits: [
          { name: "nofile", soft: 512, hard: 1024 },
          { name: "core", soft: 0, hard: 0 },
        ],
      },
    },
  );
  assert.deepEqual(
    lines(stdout),
    ["1234", "2345", "2345 3456 4567", "/work/deep", "hello there", "0027", "512", "1024", "0"],
    stderr,
  );
});

test("the root file system: changes are thrown away, read-only is read-only", async () => {
  const marker = `/etc/sampan-test-${process.pid}`;
  assert.equal((await containers.run(`echo x > ${marker} && cat ${marker}`)).stdout, "x\n");
  assert.ok(!existsSync(marker));
  const { code, stderr } = await containers.run(`echo x > ${marker}`, { readOnlyRoot: true });
  assert.notEqual(code, 0);
  assert.match(stderr, /Read-only file system/);
});

test("/proc, /sys and /dev are laid out as Docker does", async () => {
  const { stdout } = await containers.run("cat /proc/mounts; ls -l /dev");
  const mounts = new Map(
    lines(stdout)
      .filter((line) => line.includes(" 0 0"))
      .map((line) => [line.split(" ")[1], line.split(" ")]),
  );
  for (const [at, type, option] of [
    ["/", "overlay", "rw"],
    ["/proc", "proc", "nosuid"],
    ["/dev", "tmpfs", "nosuid"],
    ["/dev/pts", "devpts", "ptmxmode=666"],
    ["/dev/shm", "tmpfs", "size=65536k"],
    ["/dev/mqueue", "mqueue", "noexec"],
    ["/sys", "sysfs", "ro"],
  ] as const) {
    assert.equal(mounts.get(at)?.[2], type, at);
    assert.ok(mounts.get(at)?.[3]?.split(",").includes(option), `${at}: ${mounts.get(at)?.[3]}`);
  }
  assert.ok(mounts.get("/sys/fs/cgroup")?.[3]?.startsWith("ro"));
  for (const link of ["fd -> /proc/self/fd", "ptmx -> pts/ptmx", "stdin -> /proc/self/fd/0", "core -> /proc/kcore"])
    assert.ok(stdout.includes(link), link);
});

test("the container's own cgroup is the root of what it sees, and cannot be written", async () => {
  const { stdout } = await containers.run(
    "cat /proc/self/cgroup; mkdir $(ls -d /sys/fs/cgroup/memory /sys/fs/cgroup 2>/dev/null | head -1)/x || echo refused",
  );
  const paths = lines(stdout)
    .filter((line) => /^\d+:/.test(line))
    .map((line) => line.split(":")[2]);
  assert.ok(paths.length > 0 && paths.every((path) => path === "/" || !path?.includes("sampan")), stdout);
  assert.match(stdout, /refused/);
});

test("masked paths are empty, protected paths read-only, missing ones no matter", async () => {
  const { stdout } = await containers.run(
    "cat /proc/keys | wc -c; ls /sys/firmware | wc -l; echo 1 > /proc/sys/kernel/domainname || echo refused; echo x > /proc/sysrq-trigger || echo refused",
    {
      maskedPaths: ["/proc/keys", "/sys/firmware", "/proc/not-there"],
      readonlyPaths: ["/proc/sys", "/proc/sysrq-trigger", "/proc/nor-this"],
    },
  );
  assert.deepEqual(lines(stdout), ["0", "0", "refused", "refused"]);
});

test("binds: directory and file, read-only, with missing targets made; tmpfs with its options", async () => {
  const source = join(directory, "source");
  mkdirSync(source);
  writeFileSync(join(source, "file"), "content\n");
  const bind = { type: "bind", recursive: true, propagation: "rprivate" } as const;
  const { stdout, stderr } = await containers.run(
    "cat /new/place/file; echo made > /new/place/made; cat /etc/single; echo x > /etc/single || echo refused; stat -c '%a %u' /scratch; df -k /scratch | tail -1 | awk '{print $2}'; cp /bin/true /scratch/ && /scratch/true || echo noexec",
    {
      mounts: [
        { ...bind, source, sourceIsDirectory: true, target: "/new/place", readOnly: false },
        { ...bind, source: join(source, "file"), sourceIsDirectory: false, target: "/etc/single", readOnly: true },
        {
          type: "tmpfs",
          target: "/scratch",
          readOnly: false,
          size: 1 << 20,
          mode: 0o1770,
          uid: 55,
          exec: false,
          suid: false,
          dev: false,
        },
      ],
    },
  );
  assert.deepEqual(lines(stdout), ["content", "content", "refused", "1770 55", "1024", "noexec"], stderr);
  assert.equal(readFileSync(join(source, "made"), "utf8"), "made\n");
});

test("a read-only bind: what is mounted below is read-only, too, or keeps its own right", async () => {
  const source = join(directory, "tree");
  const below = join(source, "below");
  mkdirSync(below, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "tree", below]);
  const bind = { type: "bind", source, sourceIsDirectory: true, readOnly: true, recursive: true } as const;
  const write = (target: string) =>
    `(echo x > ${target}/made) 2>/dev/null && echo written; (echo x > ${target}/below/made) 2>/dev/null && echo below;`;
  try {
    for (const propagation of ["rprivate", "private", "rslave", "slave"] as const) {
      const { stdout, stderr } = await containers.run(
        `${write("/all")} echo -; ${write("/top")} echo -; ${write("/one")}`,
        {
          mounts: [
            { ...bind, propagation, target: "/all" },
            { ...bind, propagation, target: "/top", writableBelow: true },
            { ...bind, propagation, target: "/one", recursive: false },
          ],
        },
      );
      assert.deepEqual(lines(stdout), ["-", "below", "-"], `${propagation}: ${stderr}`);
    }
  } finally {
    execFileSync("umount", [below]);
  }
});

test("a mount target that leads out of the root by a link stays inside", async () => {
  const source = join(directory, "escape");
  const outside = join(directory, "outside");
  mkdirSync(source);
  mkdirSync(outside);
  const link = {
    type: "bind",
    source,
    sourceIsDirectory: true,
    target: "/links",
    readOnly: false,
    recursive: true,
    propagation: "rprivate",
  } as const;
  writeFileSync(join(source, "x"), "");
  symlinkSync(`../../../../../..${outside}`, join(source, "up"));
  const { stdout } = await containers
    .run("ls /links/up/ | head; echo done", {
      mounts: [
        link,
        {
          type: "tmpfs",
          target: "/links/up/mounted",
          readOnly: false,
          mode: 0o755,
          exec: true,
          suid: false,
          dev: false,
        },
      ],
    })
    .catch((error: Error) => ({ stdout: error.message }));
  assert.deepEqual(readdirSync(outside), [], stdout);
});

test("sysctls of its namespaces are set, the OOM score too", async () => {
  const { stdout } = await containers.run("cat /proc/sys/kernel/msgmax /proc/self/oom_score_adj", {
    sysctls: { "kernel.msgmax": "4096" },
    process: { oomScoreAdj: 321 },
  });
  assert.deepEqual(lines(stdout), ["4096", "321"]);
});

test("init is PID 1: it forwards signals, reaps orphans and passes the exit code on", async () => {
  const spec = containers.spec(
    "(sleep 0.05 &) ; sleep 0.15; ps -eo pid,stat,comm; trap 'exit 42' TERM; kill -TERM 1; while :; do sleep 0.01; done",
    { init: true },
  );
  const running = await containers.start(spec, true);
  const socket = await running.attach({ stdin: false, stdout: true, stderr: true });
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.subarray(8);
  });
  socket.resume();
  running.release();
  assert.equal((await running.exited).code, 42);
  assert.match(text, /^\s+1 \S+\s+sampan-init$/m);
  assert.doesNotMatch(text, / Z/);
});

test("a killed init takes everything with it", async () => {
  const running = await containers.start(containers.spec("sleep 1000", { init: true }));
  running.signal(9);
  assert.equal((await running.exited).code, 137);
});

test("exec: in all namespaces, in the cgroup, with its own user and exit code", async () => {
  const spec = containers.spec("sleep 1000");
  const running = await containers.start(spec);
  const inside = await containers.exec(
    running,
    spec,
    "hostname; id -u; cat /proc/self/cgroup; ls -l /proc/self/fd; exit 5",
    {
      user: { uid: 77, gid: 0, additionalGids: [], home: "/" },
    },
  );
  assert.equal(inside.code, 5);
  const [hostname, uid] = lines(inside.stdout);
  assert.deepEqual([hostname, uid], ["boat", "77"]);
  assert.doesNotMatch(inside.stdout, /sampan-/);
  assert.equal([...inside.stdout.matchAll(/ -> /g)].length, 4);
  assert.ok(containers.cgroups.pids(spec.cgroupPath).includes(running.pid));
  running.signal(9);
  await running.exited;
});

test("exec finds the container by a pidfd, and its process enters all namespaces by one setns of that", async () => {
  const spec = containers.spec("sleep 1000");
  const target = { id: spec.id, pid: 1, cgroupPath: spec.cgroupPath, namespaces: spec.namespaces };
  const options = { files: { socket: join(directory, "never.sock") }, hold: false };
  const { program } = execProgram(target, spec.process, options, containers.cgroups);
  const joins = (steps: readonly Step[]) => steps.filter(({ call }) => call === "setns").map((step) => literal(step));
  const found = program.steps.filter(({ call }) => call === "pidfd_open");
  assert.equal(found.length, 1);
  assert.deepEqual(joins(program.steps), ["setns($pidfd_open, CLONE_NEWPID)"], "takes effect for children only");
  const child = program.steps.find(({ op }) => op === "clone")?.child ?? [];
  const all = "CLONE_NEWNS|CLONE_NEWNET|CLONE_NEWIPC|CLONE_NEWUTS|CLONE_NEWCGROUP";
  assert.deepEqual(joins(child), [`setns($pidfd_open, ${all})`]);

  const running = await containers.start(spec);
  const links =
    'for n in mnt pid net ipc uts cgroup; do [ "$(readlink /proc/1/ns/$n)" = "$(readlink /proc/self/ns/$n)" ] && echo same; done';
  assert.equal((await containers.exec(running, spec, links)).stdout, "same\n".repeat(6));
  running.signal(9);
  await running.exited;
  await assert.rejects(containers.exec(running, spec, "true"), /find process \d+: pidfd_open\(\d+, 0\): ESRCH/);
});

test("exec in a terminal gets one of the container's own", async () => {
  const spec = containers.spec("sleep 1000");
  const running = await containers.start(spec);
  const files = { socket: join(directory, "tty.sock"), exitFile: join(directory, "tty.exit") };
  const target = { id: spec.id, pid: running.pid, cgroupPath: spec.cgroupPath, namespaces: spec.namespaces };
  const exec = await containers.runtime.exec(
    target,
    { ...spec.process, terminal: true, argv: ["tty"] },
    { files, hold: true },
  );
  const socket = await exec.attach({ stdin: false, stdout: true, stderr: true });
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk;
  });
  socket.resume();
  exec.release();
  assert.equal((await exec.exited).code, 0);
  await eventually("its output has come", () => text === "/dev/pts/0\r\n");
  running.signal(9);
  await running.exited;
});

test("a program that is not there is 127, one that may not be executed 126; nothing stays behind", async () => {
  const cases = [
    ["no-such-program", 127],
    ["/no/such/program", 127],
    ["/etc/passwd", 126],
    ["/etc", 126],
  ] as const;
  for (const [command, exitCode] of cases) {
    const spec = containers.spec("", { process: { argv: [command] } });
    await assert.rejects(
      containers.start(spec),
      (error: unknown) => error instanceof ExecuteError && error.exitCode === exitCode,
      command,
    );
    assert.throws(() => containers.cgroups.usage(spec.cgroupPath), /./);
  }
});

test("a bind source that is not there is named", async () => {
  const mount = {
    type: "bind",
    source: "/no/such/source",
    sourceIsDirectory: true,
    target: "/x",
    readOnly: false,
    recursive: true,
    propagation: "rprivate",
  } as const;
  await assert.rejects(
    containers.run("true", { mounts: [mount] }),
    /take \/no\/such\/source of the machine: open_tree\(.*ENOENT/,
  );
});

test("users are looked up in the container's own files", async () => {
  const spec = containers.spec("sleep 1000");
  assert.deepEqual(await containers.runtime.resolveUser(spec.root, "daemon", []), {
    uid: 1,
    gid: 1,
    additionalGids: [1],
    home: "/usr/sbin",
  });
  await assert.rejects(containers.runtime.resolveUser(spec.root, "nobody-here", []), /unable to find user nobody-here/);
  const running = await containers.start(containers.spec("echo 'ana:x:4321:1::/home/ana:' >> /etc/passwd; sleep 1000"));
  await eventually("the user exists", () =>
    containers.runtime.resolveUser({ pid: running.pid }, "ana", []).then(
      ({ uid }) => uid === 4321,
      () => false,
    ),
  );
  running.signal(9);
  await running.exited;
});

test("explain lists every step by concept and starts nothing", () => {
  const spec = containers.spec("true", { resources: { memory: { limit: 64 << 20 } } });
  const { text, steps } = containers.runtime.explain(spec, {
    files: { socket: join(directory, "never.sock"), exitFile: join(directory, "never") },
    hold: false,
  });
  const concepts = new Set(steps.map(({ concept }) => concept));
  for (const concept of ["namespace", "cgroup", "rootfs", "device", "network", "security", "process", "monitor"])
    assert.ok(concepts.has(concept as never), concept);
  assert.match(text, /pivot_root\("\.", "\."\)/);
  assert.match(text, /execve\("\/bin\/sh", \["\/bin\/sh","-c","true"\]/);
  assert.ok(steps.every(({ note }) => note.length > 0));
  assert.ok(!existsSync(join(directory, "never.sock")));
});
