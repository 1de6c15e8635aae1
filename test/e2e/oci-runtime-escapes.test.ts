import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { after, describe, test } from "node:test";
import { OciSandbox, sampanRuntime, type TestConfig } from "../support/oci.ts";
import { requiresRoot } from "../support/requires.ts";

const helper = resolve(import.meta.dirname, "../../native/build/executor");
const digest = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

/** One test for each class of escape that was published of the runtimes before this one; written from the advisories. */
describe("known escapes stay closed in sampan-runtime", requiresRoot(), () => {
  const sandbox = new OciSandbox(sampanRuntime);
  const rootOf = (bundle: string) => join(bundle, "rootfs");

  after(async () => assert.deepEqual(await sandbox.close(), []));

  const shell = (line: string, change: (config: TestConfig) => void = () => {}) =>
    sandbox.bundle((config) => {
      config.process.args = ["sh", "-c", line];
      change(config);
    });

  test("CVE-2019-5736: the runtime's own program cannot be written through /proc/PID/exe", async () => {
    const before = [digest(helper), digest(process.execPath)];
    const bundle = await shell("while :; do for p in /proc/[0-9]*/exe; do echo bad > $p; done 2>/dev/null; done");
    await sandbox.detached("run", "--detach", "--bundle", bundle, "a");
    for (let round = 0; round < 10; round++) await sandbox.ok("exec", "a", "true");
    await sandbox.ok("delete", "--force", "a");
    assert.deepEqual([digest(helper), digest(process.execPath)], before);
  });

  test("CVE-2024-21626: no descriptor of the machine is left to begin at", async () => {
    const waiting = await shell("sleep 1000");
    await sandbox.detached("run", "--detach", "--bundle", waiting, "b");
    for (let descriptor = 3; descriptor < 12; descriptor++) {
      const cwd = `/proc/self/fd/${descriptor}`;
      const bundle = await shell("ls", (config) => {
        config.process.cwd = cwd;
      });
      for (const args of [
        ["run", "--bundle", bundle, `b${descriptor}`],
        ["exec", "--cwd", cwd, "b", "ls", "-a"],
      ]) {
        const { status, stdout } = await sandbox.run(args);
        assert.notEqual(status, 0, `${args.join(" ")}: ${stdout}`);
      }
    }
    await sandbox.ok("delete", "--force", "b");
  });

  test("CVE-2023-27561, CVE-2023-28642: /proc and /sys that are an image's links are refused", async () => {
    for (const name of ["proc", "sys"]) {
      const bundle = await shell("true");
      rmSync(join(rootOf(bundle), name), { recursive: true });
      symlinkSync("/tmp", join(rootOf(bundle), name));
      const { status, stderr } = await sandbox.run(["run", "--bundle", bundle, "c"]);
      assert.equal(status, 1);
      assert.match(stderr, new RegExp(`find /${name}, which may be no link.*ELOOP`));
    }
  });

  test("CVE-2019-19921: nothing is mounted inside /proc", async () => {
    const bundle = await shell("true", (config) => {
      config.mounts.push({ destination: "/proc/self/attr", type: "tmpfs", source: "tmpfs" });
    });
    const { status, stderr } = await sandbox.run(["run", "--bundle", bundle, "d"]);
    assert.equal(status, 1);
    assert.match(
      stderr,
      /mounts\[\d+\]\.destination: \/proc\/self\/attr cannot be mounted because it is inside \/proc/,
    );
  });

  test("CVE-2025-31133: files are hidden by the machine's /dev/null, not by the image's", async () => {
    const secret = join(sandbox.directory, "secret");
    writeFileSync(secret, "of the machine\n");
    const bundle = await shell("cat /proc/keys /proc/timer_list", (config) => {
      config.mounts = config.mounts.filter(({ destination }) => !destination.startsWith("/dev"));
      config.linux.maskedPaths = ["/proc/keys", "/proc/timer_list"];
    });
    symlinkSync(secret, join(rootOf(bundle), "dev/null"));
    writeFileSync(join(rootOf(bundle), "dev/zero"), "not a device");
    assert.equal(await sandbox.ok("run", "--bundle", bundle, "e"), "");
  });

  test("CVE-2025-52881: kernel parameters are not written through what the container shows as /proc", async () => {
    const bundle = await shell("cat /proc/sys/net/ipv4/ip_forward 2>/dev/null || echo no proc", (config) => {
      config.mounts = config.mounts.filter(({ destination }) => destination !== "/proc");
      config.linux.sysctl = { "net.ipv4.ip_forward": "1" };
      config.linux.maskedPaths = [];
      config.linux.readonlyPaths = [];
    });
    const trap = join(rootOf(bundle), "proc/sys/net/ipv4");
    mkdirSync(trap, { recursive: true });
    writeFileSync(join(trap, "ip_forward"), "a trap\n");
    assert.equal(await sandbox.ok("run", "--bundle", bundle, "f"), "a trap\n");
  });

  test("CVE-2022-0492: release_agent cannot be set", async () => {
    const line =
      "for f in /sys/fs/cgroup/release_agent /sys/fs/cgroup/*/release_agent; do echo /x > $f && echo written; done 2>/dev/null; echo end";
    assert.equal(await sandbox.ok("run", "--bundle", await shell(line), "g"), "end\n");
  });

  test("CVE-2024-45310: what is made for mounts is made inside the root", async () => {
    const outside = join(sandbox.directory, "outside");
    mkdirSync(outside);
    const bundle = await shell("ls -d /made/there", (config) => {
      config.root.readonly = false;
      config.mounts.push(
        { destination: "/link/there", type: "tmpfs", source: "tmpfs" },
        { destination: "/link/file", type: "bind", source: process.execPath, options: ["bind", "ro"] },
      );
    });
    mkdirSync(join(rootOf(bundle), "made"));
    symlinkSync("/made", join(rootOf(bundle), "link"));
    assert.equal(await sandbox.ok("run", "--bundle", bundle, "h"), "/made/there\n");
    rmSync(join(rootOf(bundle), "link"));
    symlinkSync(outside, join(rootOf(bundle), "link"));
    await sandbox.run(["run", "--bundle", bundle, "h"]);
    assert.deepEqual(readdirSync(outside), []);
  });

  test("CVE-2021-30465: a mount's target that is swapped for a link meanwhile leads nowhere outside", async () => {
    const outside = join(sandbox.directory, "target");
    mkdirSync(join(outside, "below"), { recursive: true });
    const bundle = await shell("true", (config) => {
      config.root.readonly = false;
      config.mounts.push({ destination: "/volume/below", type: "tmpfs", source: "tmpfs", options: ["mode=711"] });
    });
    const place = join(rootOf(bundle), "volume");
    const directory = join(rootOf(bundle), "aside");
    mkdirSync(place);
    let swapping = true;
    const swaps = (async () => {
      for (; swapping; await new Promise(setImmediate)) {
        attempt(() => renameSync(place, directory));
        attempt(() => symlinkSync("../../target", place));
        attempt(() => unlinkSync(place));
        attempt(() => renameSync(directory, place));
      }
    })();
    for (let round = 0; round < 20; round++) await sandbox.run(["run", "--bundle", bundle, `i${round}`]);
    swapping = false;
    await swaps;
    const mounts = readFileSync("/proc/self/mountinfo", "utf8");
    assert.ok(!mounts.includes(outside));
    assert.deepEqual(readdirSync(outside), ["below"]);
  });
});

/** What the runtime makes at the same place in between is in the way, now and then. */
function attempt(action: () => void): void {
  try {
    action();
  } catch {}
}
