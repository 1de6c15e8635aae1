import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { busybox } from "../support/images.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

/** What dockerd 28.5 answers to the same script, read beside us on the same machine. */
const status = "grep -E '^(Groups|Cap|NoNewPrivs|Seccomp:)' /proc/self/status | tr -s '\\t ' ' '";
const asRoot = [
  "Groups: 0 ",
  "CapInh: 0000000000000000",
  "CapPrm: 00000000a80425fb",
  "CapEff: 00000000a80425fb",
  "CapBnd: 00000000a80425fb",
  "CapAmb: 0000000000000000",
  "NoNewPrivs: 0",
  "Seccomp: 2",
];
const asTester = asRoot.map((line) =>
  line.replace("Groups: 0", "Groups: 1000 2000").replace(/(Prm|Eff): .*/, "$1: 0000000000000000"),
);
const privileged = asRoot.map((line) => line.replace("Seccomp: 2", "Seccomp: 0"));
const modes = "stat -c '%a %t:%T %n' /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /dev/pts/ptmx";
const devices = [
  "666 1:3 /dev/null",
  "666 1:5 /dev/zero",
  "666 1:7 /dev/full",
  "666 1:8 /dev/random",
  "666 1:9 /dev/urandom",
  "666 5:0 /dev/tty",
  "666 5:2 /dev/pts/ptmx",
];

async function lines(...args: string[]): Promise<string[]> {
  return (await box.ok(...args)).split("\n");
}

suite("a container's confinement is what Docker's is", { ...requires("busybox"), ...requiresRoot() }, () => {
  before(async () => {
    await box.load(await busybox(), "busybox");
    await box.ok("run", "-d", "--name", "sleeper", "busybox", "sleep", "1000");
  });

  test("rights of root and of a user, by run and by exec", async () => {
    assert.deepEqual(await lines("run", "--rm", "busybox", "sh", "-c", status), asRoot);
    assert.deepEqual(await lines("exec", "sleeper", "sh", "-c", status), asRoot);
    assert.deepEqual(await lines("run", "--rm", "-u", "tester", "busybox", "sh", "-c", status), asTester);
    assert.deepEqual(await lines("exec", "-u", "tester", "sleeper", "sh", "-c", status), asTester);
    const all = (await lines("run", "--rm", "--privileged", "busybox", "sh", "-c", status)).map((line) =>
      line.replace(/(Prm|Eff|Bnd): [0-9a-f]{16}/, "$1: 00000000a80425fb"),
    );
    assert.deepEqual(all, privileged);
  });

  test("the devices are for everybody", async () => {
    assert.deepEqual(await lines("run", "--rm", "busybox", "sh", "-c", modes), devices);
    const use = "echo a >/dev/null && head -c 4 /dev/zero | wc -c && head -c 4 /dev/urandom | wc -c";
    assert.deepEqual(await lines("run", "--rm", "-u", "tester", "busybox", "sh", "-c", use), ["4", "4"]);
    assert.deepEqual(await lines("exec", "-u", "tester", "sleeper", "sh", "-c", use), ["4", "4"]);
  });

  test("no descriptor comes along, whatever is attached", async () => {
    const list = ["ls", "/proc/self/fd"];
    for (const flags of [[], ["-i"], ["-t"], ["--init"]]) {
      const found = await box.run(["run", "--rm", ...flags, "busybox", ...list], { input: "" });
      assert.deepEqual(found.stdout.trim().split(/\s+/), ["0", "1", "2", "3"], flags.join(" "));
    }
    for (const flags of [[], ["-i"], ["-t"]]) {
      const found = await box.run(["exec", ...flags, "sleeper", ...list], { input: "" });
      assert.deepEqual(found.stdout.trim().split(/\s+/), ["0", "1", "2", "3"], flags.join(" "));
    }
  });

  test("what a container must not do, it cannot", async () => {
    const attempts = [
      "mount -t tmpfs x /mnt",
      "mount -o remount,rw /sys",
      "echo 1 >/proc/sys/kernel/panic",
      "echo b >/proc/sysrq-trigger",
      "mknod /tmp/sda b 8 0 && head -c 1 /tmp/sda",
      "unshare -U true",
      "unshare -m true",
      "hostname other",
      "test $(date -s 2001-01-01 2>&1 | grep -c permitted) = 0",
      "swapoff -a /dev/x",
      "chroot /proc/1/root/../../.. ls /work",
      "mkdir /sys/fs/cgroup/memory/x || mkdir /sys/fs/cgroup/x",
      "cat /proc/kcore | head -c 1 | grep .",
      "ls /proc/acpi | grep .",
      "ls /sys/firmware | grep .",
      "ip link add d type dummy",
      "kill -9 1 && sleep 0.2 && false",
    ];
    for (const attempt of attempts) {
      const { status, stdout } = await box.run(["exec", "sleeper", "sh", "-c", `( ${attempt} ) 2>&1 && echo DID`]);
      assert.ok(status !== 0 && !stdout.includes("DID"), `${attempt}: ${stdout}`);
    }
    assert.equal(await box.ok("inspect", "--format", "{{.State.Status}}", "sleeper"), "running");
  });

  test("environment and process of a container and of an exec", async () => {
    const [id] = await lines("inspect", "--format", "{{slice .Id 0 12}}", "sleeper");
    const env = [`HOSTNAME=${id}`, "HOME=/root", "PATH=/bin:/usr/bin"].sort();
    const seen = (await lines("exec", "sleeper", "env")).sort();
    assert.deepEqual(seen, env);
    const terminal = await box.run([
      "run",
      "--rm",
      "-t",
      "-u",
      "tester",
      "busybox",
      "sh",
      "-c",
      "echo $TERM $HOME; umask",
    ]);
    assert.equal(terminal.stdout, "xterm /home/tester\r\n0022\r\n");
  });

  test("all of it goes with the container", async () => {
    await box.ok("rm", "-f", "sleeper");
  });
});
