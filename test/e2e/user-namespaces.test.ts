import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chownSync, mkdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { busybox } from "../support/images.ts";
import { sandbox } from "../support/sandbox.ts";

/** The files of an archive with their owners' numbers. */
function listed(archive: Buffer): string {
  return execFileSync("tar", ["--numeric-owner", "-tvf", "-"], { input: archive, maxBuffer: 2 ** 26 }).toString();
}

describe("containers with users of their own", () => {
  const box = sandbox({ start: true });

  before(async () => {
    await box.load(await busybox(), "busybox");
  });

  const run = (...args: string[]) => box.ok("run", "--network", "none", ...args);
  const isolated = (...args: string[]) => run("--rm", "--userns=auto", ...args);
  const script = (text: string, ...options: string[]) => isolated(...options, "busybox", "sh", "-ec", text);
  const keep = (name: string, ...options: string[]) =>
    run("-d", "--name", name, "--userns=auto", ...options, "busybox", "sleep", "1000");
  const pidOf = (name: string) => box.ok("inspect", "-f", "{{.State.Pid}}", name);
  /** Who the root of a container is on the machine. */
  const rootOf = async (name: string) => statSync(`/proc/${await pidOf(name)}/root/etc`).uid;

  test("its root is nobody on the machine, and has its own files", async () => {
    const text = await script(
      "id -u; tr -s ' ' < /proc/self/uid_map; touch /new; stat -c '%u %g %a' /new /etc /dev/null /dev",
    );
    assert.match(text, /^0\n 0 (\d+) 65536\n0 0 644\n0 0 755\n0 0 666\n0 0 755$/);
    await keep("first");
    await keep("second");
    const roots = [await rootOf("first"), await rootOf("second")];
    assert.ok(roots.every((uid) => uid >= 2 ** 31));
    assert.equal(new Set(roots).size, 2, "each has ids of its own");
    assert.match(
      readFileSync(`/proc/${await pidOf("first")}/status`, "latin1"),
      new RegExp(`^Uid:\t${roots[0]}\t`, "m"),
    );
    assert.equal(await box.ok("inspect", "-f", "{{.HostConfig.UsernsMode}}", "first"), "auto");
    await box.ok("rm", "-f", "first", "second");
  });

  test("what its root may do in it: owners, modes, devices, limits, hidden paths, output by its name", async () => {
    const text = await script(
      [
        "touch /a; chown 1000:1001 /a; stat -c '%u %g' /a; mkdir /d; mknod /d/p p; ln -s /a /d/l; rm /etc/group",
        "head -c 3 /dev/zero | wc -c; echo x > /dev/null; echo x > /dev/stdout; echo shm > /dev/shm/x; ls /dev/pts",
        "wc -c < /proc/keys; ulimit -Sn; ulimit -Hn; cat /proc/self/oom_score_adj; hostname; pwd",
        "mount -t tmpfs none /mnt 2>/dev/null || echo may not mount; ls -d /sys/fs/cgroup",
        "echo 1 > /proc/sys/kernel/panic 2>/dev/null || echo protected; cat /proc/sys/net/ipv4/ip_unprivileged_port_start",
      ].join("; "),
      ...["--ulimit", "nofile=100:200", "--oom-score-adj", "321", "--hostname", "mine", "--workdir", "/work"],
    );
    const expected =
      "1000 1001\n3\nx\nptmx\n0\n100\n200\n321\nmine\n/work\nmay not mount\n/sys/fs/cgroup\nprotected\n0";
    assert.equal(text, expected);
  });

  test("another user, with --init and without, and a read-only root", async () => {
    const who = "id -u; id -G; echo x > /dev/stderr; touch /x 2>/dev/null || echo may not";
    assert.equal(await script(who, "--user", "1000:1000", "--group-add", "7"), "1000\n1000 7\nmay not");
    assert.equal(await script(who, "--init", "--user", "5"), "5\n0\nmay not");
    assert.equal(
      await script("touch /x 2>/dev/null || echo may not; touch /t/x", "--read-only", "--tmpfs", "/t"),
      "may not",
    );
    const nobody = /become user 70000.* the user namespace has no such id/;
    await box.fails(
      { status: 125, stderr: nobody },
      "run",
      "--rm",
      "--userns=auto",
      "--user",
      "70000",
      "busybox",
      "true",
    );
  });

  test("a terminal", async () => {
    assert.match(await script("tty; stat -c '%u' /dev/console; id -u", "-t"), /^\/dev\/pts\/0\r\n0\r\n0\r?$/);
  });

  test("exec: in its namespaces, as its users", async () => {
    await keep("owner", "--user", "1000");
    const inside = await box.ok(
      "exec",
      "owner",
      "sh",
      "-c",
      "id -u; readlink /proc/self/ns/user; echo x > /dev/stdout",
    );
    assert.equal(inside, `1000\n${await box.ok("exec", "owner", "readlink", "/proc/self/ns/user")}\nx`);
    assert.notEqual(inside.split("\n")[1], readlinkSync("/proc/self/ns/user"));
    assert.equal(await box.ok("exec", "-u", "0", "owner", "sh", "-c", "touch /r; stat -c %u /r; id -u"), "0\n0");
    assert.match(await box.ok("exec", "-t", "-u", "0", "owner", "tty"), /^\/dev\/pts\/\d+\r?$/);
    assert.match(await box.ok("top", "owner"), /sleep 1000/);
    await box.ok("rm", "-f", "owner");
  });

  test("copies, exports, changes and commits have the container's ids", async () => {
    await keep("files");
    await box.ok("exec", "files", "sh", "-c", "echo mine > /own; chown 1000:1001 /own; mkdir /place; chown 7:8 /place");
    const source = join(box.directory, "sent");
    writeFileSync(source, "sent");
    await box.ok("cp", source, "files:/place/sent");
    assert.equal(await box.ok("exec", "files", "stat", "-c", "%u %g", "/place/sent"), "0 0");
    const owners = async (path: string) => listed((await box.api("GET", `/containers/files/${path}`)).bytes);
    assert.match(await owners("archive?path=/own"), /1000\/1001 .* own$/m);
    assert.match(await owners("export"), /1000\/1001 .* own$/m);
    assert.match(await box.ok("diff", "files"), /^A \/own$/m);
    await box.ok("commit", "files", "kept");
    assert.equal(await run("--rm", "kept", "stat", "-c", "%u %g", "/own", "/place"), "1000 1001\n7 8");
    await box.ok("stop", "-t", "0", "files");
    assert.match(await owners("archive?path=/own"), /1000\/1001 .* own$/m);
    await box.ok("start", "files");
    assert.equal(await box.ok("exec", "files", "stat", "-c", "%u %g", "/own"), "1000 1001");
    await box.ok("rm", "-f", "files");
    await box.ok("rmi", "kept");
  });

  test("volumes and binds keep their ids, on the machine, too", async () => {
    const shared = join(box.directory, "private", "shared");
    mkdirSync(shared, { recursive: true, mode: 0o700 });
    writeFileSync(join(shared, "of-7"), "");
    chownSync(join(shared, "of-7"), 7, 8);
    const line = "stat -c '%u %g' /b/of-7; touch /b/root /v/root; chown 5:6 /b/root; stat -c '%u %g' /b /v /v/root";
    const text = await script(line, "-v", `${shared}:/b`, "-v", "kept:/v");
    assert.equal(text, "7 8\n0 0\n0 0\n0 0");
    const made = statSync(join(shared, "root"));
    assert.deepEqual([made.uid, made.gid], [5, 6]);
    assert.equal(
      await run("--rm", "-v", "kept:/v", "busybox", "stat", "-c", "%u %g", "/v/root"),
      "0 0",
      "without, too",
    );
    assert.equal(await script("touch /b/x 2>/dev/null || echo may not", "-v", `${shared}:/b:ro`), "may not");
    assert.equal(await script("cat /f", "-v", `${join(shared, "of-7")}:/f`), "");
    assert.equal(await script("stat -c '%u %g' /bin/busybox", "-v", "filled:/bin"), "0 0", "filled from the image");
    await box.ok("volume", "rm", "kept", "filled");
  });

  test("a file system that cannot map ids is named, with what to do", async () => {
    const refused = /map the ids of \/proc.*use --userns=host/;
    await box.fails(
      { status: 125, stderr: refused },
      "run",
      "--rm",
      "--userns=auto",
      "-v",
      "/proc:/p",
      "busybox",
      "true",
    );
    const text = await run("--rm", "--userns=keep-id", "-v", "/proc:/p", "busybox", "ls", "-d", "/p/self");
    assert.equal(text, "/p/self");
  });

  test("keep-id: everybody is who they are, and has no right on the machine", async () => {
    const line =
      "tr -s ' ' < /proc/self/uid_map; readlink /proc/self/ns/user; mount -t tmpfs none /mnt || echo may not";
    const [map, namespace, last] = (
      await run("--rm", "--userns=keep-id", "--cap-add", "sys_time", "busybox", "sh", "-c", `${line} 2>/dev/null`)
    ).split("\n");
    assert.equal(map, " 0 0 4294967295");
    assert.notEqual(namespace, readlinkSync("/proc/self/ns/user"));
    assert.match(String(last), /may not|permission denied/i);
    await box.fails(
      { status: 125, stderr: /choose the process's with --user/ },
      "run",
      "--userns=keep-id:uid=5",
      "busybox",
    );
  });

  test("namespaces shared by those who share users", async () => {
    await keep("owner", "--ipc", "shareable");
    await box.ok("exec", "owner", "sh", "-c", "echo hello > /dev/shm/x");
    const joined = ["--userns", "container:owner"];
    const shared = ["--network", "container:owner", "--ipc", "container:owner", "--pid", "container:owner"];
    const line =
      "readlink /proc/self/ns/user; cat /dev/shm/x; ps | grep -c 'sleep 1000'; ip link set lo mtu 1400; id -u";
    const args = ["run", "--rm", ...joined, ...shared, "--cap-add", "net_admin", "busybox", "sh", "-c", line];
    const text = await box.ok(...args);
    const namespace = await box.ok("exec", "owner", "readlink", "/proc/self/ns/user");
    assert.equal(text.split("\n")[0], namespace);
    assert.match(text, /\nhello\n[1-9]\n0$/);
    const others = /cannot share namespaces of container [0-9a-f]{64}: its users are others .*use --userns=container:/;
    await box.fails({ status: 125, stderr: others }, "run", "--userns=auto", "--ipc", "container:owner", "busybox");
    const root = await rootOf("owner");
    await run("-d", "--name", "joiner", ...joined, "busybox", "sleep", "1000");
    assert.equal(await rootOf("joiner"), root);
    await box.ok("rm", "-f", "owner");
    assert.equal(await box.ok("exec", "joiner", "id", "-u"), "0", "it goes on by itself");
    await keep("owner");
    assert.notEqual(await rootOf("owner"), root, "whose ids still are somebody's");
    await box.ok("rm", "-f", "joiner");
    await box.ok("stop", "-t", "0", "owner");
    const idle = /cannot join user namespace of a non running container/;
    await box.fails({ status: 125, stderr: idle }, "run", "--rm", "--network", "none", ...joined, "busybox", "true");
    await box.ok("rm", "owner");
  });

  test("what cannot be with users of its own is refused", async () => {
    const refusals: readonly (readonly [RegExp, ...string[]])[] = [
      [/privileged mode is incompatible with user namespaces/, "--privileged"],
      [/cannot share the host's network namespace when user namespaces are enabled/, "--network", "host"],
      [/cannot share the host PID namespace when user namespaces are enabled/, "--pid", "host"],
      [/cannot share the host IPC namespace when user namespaces are enabled/, "--ipc", "host"],
      [/cannot share the host cgroup namespace when user namespaces are enabled/, "--cgroupns", "host"],
      [/outside of \/dev, only the machine's root may make devices/, "--device", "/dev/null:/other/null"],
    ];
    for (const [stderr, ...options] of refusals) {
      await box.fails({ status: 125, stderr }, "create", "--userns=auto", ...options, "busybox", "true");
    }
    await box.fails({ status: 125, stderr: /invalid USER mode|use host, auto/ }, "create", "--userns=some", "busybox");
    await box.fails({ status: 125, stderr: /invalid size/ }, "create", "--userns=auto:size=x", "busybox");
  });

  test("sizes and mappings that are asked for", async () => {
    const maps = "tr -s ' ' < /proc/self/uid_map; tr -s ' ' < /proc/self/gid_map";
    const asked = "auto:size=2000,uidmapping=1000:3000:5,gidmapping=5:6000:1";
    const text = await run("--rm", `--userns=${asked}`, "busybox", "sh", "-c", maps);
    const [, first, second] =
      /^ 0 (\d+) 1000\n 1000 3000 5\n 1005 (\d+) 995\n 0 \d+ 5\n 5 6000 1\n 6 \d+ 1994$/.exec(text) ?? [];
    assert.equal(Number(second), Number(first) + 1005, text);
    assert.equal(await run("--rm", "--userns=auto:size=1", "busybox", "id", "-u"), "0");
  });

  test("with clocks of its own and a landlock policy", async () => {
    const up = await script(
      "cut -d. -f1 /proc/uptime; touch /tmp/x; touch /x 2>/dev/null || echo may not",
      ...["--time-offset", "10000h", "--security-opt", "landlock=write=/tmp:/dev"],
    );
    assert.match(up, /^\d{8}\nmay not$/);
    await keep("clocks", "--time-offset", "10000h", "--security-opt", "landlock=write=/tmp:/dev");
    const line = "cut -d. -f1 /proc/uptime; touch /x 2>/dev/null || echo may not";
    assert.match(await box.ok("exec", "clocks", "sh", "-c", line), /^\d{8}\nmay not$/);
    await box.ok("rm", "-f", "clocks");
  });

  test("devices are made, by other names and in directories, too", async () => {
    const line =
      "head -c 2 /dev/z/zero | wc -c; ls -ld /dev/z | tr -s ' ' | cut -d' ' -f3,4; stat -c '%u %a' /dev/z/zero";
    assert.equal(await script(line, "--device", "/dev/zero:/dev/z/zero:r"), "2\nroot root\n0 666");
  });

  test("they outlive the daemon, and ids that somebody has are given to nobody else", async () => {
    await keep("survivor", "--restart", "always");
    const root = await rootOf("survivor");
    await box.crash();
    assert.equal(await rootOf("survivor"), root);
    assert.equal(await box.ok("exec", "survivor", "id", "-u"), "0");
    await keep("next");
    assert.notEqual(await rootOf("next"), root);
    await box.ok("restart", "-t", "0", "survivor");
    assert.equal(await rootOf("survivor"), root);
    await box.ok("rm", "-f", "survivor", "next");
    await keep("heir");
    assert.equal(await rootOf("heir"), root, "given back");
    await box.ok("rm", "-f", "heir");
  });
});
