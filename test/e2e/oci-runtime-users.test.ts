import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { OciSandbox, runtimes, type TestConfig } from "../support/oci.ts";
import { succeed } from "../support/process.ts";
import { requires, requiresRoot } from "../support/requires.ts";

const chown = ["CAP_CHOWN"];
const first = 100_000;
const ids = [{ containerID: 0, hostID: first, size: 65_536 }];

for (const { name, binary } of runtimes) {
  const skip = binary === undefined ? requires(name) : requiresRoot();
  describe(`user namespaces of ${name}`, skip, () => {
    const sandbox = new OciSandbox(binary ?? "");
    let count = 0;

    after(async () => assert.deepEqual(await sandbox.close(), []));

    /** A bundle whose root file system belongs to the ids of the user namespace. */
    async function bundleOfUsers(change: (config: TestConfig) => void): Promise<string> {
      const bundle = await sandbox.bundle((config) => {
        config.linux.namespaces.push({ type: "user" });
        config.linux.uidMappings = ids;
        config.linux.gidMappings = ids;
        config.root.readonly = false;
        change(config);
      });
      for (const directory of [sandbox.directory, bundle]) chmodSync(directory, 0o755);
      await succeed("chown", ["-hR", `${first}:${first}`, join(bundle, "rootfs")]);
      return bundle;
    }

    async function print(line: string, change: (config: TestConfig) => void = () => {}): Promise<string> {
      const bundle = await bundleOfUsers((config) => {
        config.process.args = ["sh", "-c", line];
        change(config);
      });
      return sandbox.ok("run", "--bundle", bundle, `u${++count}`);
    }

    test("its root is somebody else on the machine, whose files are its own", async () => {
      const map = await print("id -u; id -g; tr -s ' ' < /proc/self/uid_map; tr -s ' ' < /proc/self/gid_map");
      assert.equal(map, "0\n0\n 0 100000 65536\n 0 100000 65536\n");
      const line = "touch /new && stat -c '%u %g' /new; chown 5:6 /new && stat -c '%u %g' /new; hostname";
      assert.equal(
        await print(line, (config) => {
          config.hostname = "mine";
          config.process.capabilities = { bounding: chown, effective: chown, permitted: chown };
        }),
        "0 0\n5 6\nmine\n",
      );
    });

    test("devices, masked paths, limits, score and another user", async () => {
      const line = [
        "id -u",
        "head -c 3 /dev/zero | wc -c; echo x > /dev/null && ls -l /dev/null | cut -c1",
        "wc -c < /proc/keys; ls /proc/scsi 2>/dev/null | wc -l",
        "ulimit -Sn; ulimit -Hn; cat /proc/self/oom_score_adj",
        "grep CapEff /proc/self/status | cut -f2",
      ].join("; ");
      const text = await print(line, (config) => {
        config.process.user = { uid: 1000, gid: 1000 };
        config.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 100, hard: 200 }];
        config.process.oomScoreAdj = 321;
      });
      assert.equal(text, "1000\n3\nc\n0\n0\n100\n200\n321\n0000000000000000\n");
    });

    test("binds of what only the machine's root may see, a tmpfs, and cgroups", async () => {
      const source = join(sandbox.directory, `private${count}`, "shared");
      mkdirSync(source, { recursive: true, mode: 0o700 });
      chmodSync(source, 0o755);
      writeFileSync(join(source, "file"), "of the machine\n", { mode: 0o644 });
      const line =
        "cat /there/file; touch /there/x 2>/dev/null || echo kept; touch /t/x && ls /t; ls -d /sys/fs/cgroup";
      const text = await print(line, (config) => {
        config.mounts.push({ destination: "/there", source, options: ["bind", "ro"] });
        config.mounts.push({ destination: "/t", type: "tmpfs", source: "tmpfs", options: ["size=64k"] });
      }).catch((error) => String(error));
      // Whoever opens sources as the container's root cannot
      if (name === "sampan-runtime") assert.equal(text, "of the machine\nkept\nx\n/sys/fs/cgroup\n");
    });

    test("exec is in it, as its root and as another user; others join it by its path", async () => {
      const bundle = await bundleOfUsers((config) => {
        config.process.args = ["sleep", "1000"];
      });
      await sandbox.detached("run", "--detach", "--bundle", bundle, "a");
      const line = "id -u; readlink /proc/self/ns/user; touch /tmp/$(id -u) && stat -c %u /tmp/$(id -u)";
      const [user, namespace] = (await sandbox.ok("exec", "a", "sh", "-c", line)).split("\n");
      assert.equal(user, "0");
      const own = await sandbox.ok("exec", "--user", "7:7", "a", "readlink", "/proc/self/ns/user");
      assert.equal(own.trim(), namespace);
      assert.equal(await sandbox.ok("exec", "--tty=false", "--user", "7:7", "a", "id", "-u"), "7\n");

      const { pid } = await sandbox.state("a");
      const joined = await bundleOfUsers((config) => {
        config.process.args = ["sh", "-c", "readlink /proc/self/ns/user; id -u; cat /proc/self/comm"];
        config.linux.namespaces = config.linux.namespaces.map((one) =>
          one.type === "user" ? { ...one, path: `/proc/${pid}/ns/user` } : one,
        );
        if (name === "sampan-runtime") {
          config.linux.uidMappings = undefined;
          config.linux.gidMappings = undefined;
        }
      });
      assert.equal(await sandbox.ok("run", "--bundle", joined, "b"), `${namespace}\n0\ncat\n`);
      await sandbox.ok("delete", "--force", "a");
    });

    if (name === "sampan-runtime")
      test("idmapped mounts: owners are others in the container, and on the machine what they are for it", async () => {
        const source = join(sandbox.directory, "mapped");
        mkdirSync(source);
        writeFileSync(join(source, "file"), "");
        chownSync(source, 1000, 1000);
        chownSync(join(source, "file"), 1000, 1000);
        const options = ["bind", "idmap"];
        const line = "stat -c '%u %g' /there/file; touch /there/new";
        const own = [{ containerID: 1000, hostID: first + 7, size: 1 }];
        const text = await print(line, (config) => {
          const mappings = { uidMappings: own, gidMappings: own };
          config.mounts.push({ destination: "/there", source, options, ...mappings });
          config.process.user = { uid: 7, gid: 7 };
        });
        assert.equal(text, "7 7\n");
        assert.equal(statSync(join(source, "new")).uid, 1000);
        const shifted = join(sandbox.directory, "shifted");
        mkdirSync(shifted);
        assert.equal(
          await print("stat -c '%u %g' /there; touch /there/new", (config) => {
            config.mounts.push({ destination: "/there", source: shifted, options });
          }),
          "0 0\n",
        );
        assert.equal(statSync(join(shifted, "new")).uid, 0);
      });

    test("spec --rootless: a bundle for one user, who is root in it", async () => {
      const bundle = await sandbox.bundle(() => {});
      const file = join(bundle, "config.json");
      rmSync(file);
      await sandbox.ok("spec", "--rootless", "--bundle", bundle);
      const config = JSON.parse(readFileSync(file, "utf8")) as TestConfig;
      const one = [{ containerID: 0, hostID: process.geteuid?.() ?? 0, size: 1 }];
      if (name === "crun") Object.assign(config.linux, { uidMappings: one, gidMappings: one }); // 1.8 makes none for root
      assert.deepEqual(config.linux.uidMappings, one);
      config.process.terminal = false;
      config.process.args = ["sh", "-c", "id; tr -s ' ' < /proc/self/uid_map; ls -d /sys/class"];
      config.linux.cgroupsPath = `/${sandbox.mark}/rootless`;
      writeFileSync(file, JSON.stringify(config));
      assert.match(await sandbox.ok("run", "--bundle", bundle, "c"), /^uid=0.*\n 0 0 1\n\/sys\/class\n$/);
    });

    if (name === "sampan-runtime")
      test("a mapping without a root, and mappings without a namespace, are refused", async () => {
        const rootless = await bundleOfUsers((config) => {
          config.linux.uidMappings = [{ containerID: 1, hostID: first, size: 1 }];
        });
        const alone = await bundleOfUsers((config) => {
          config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== "user");
        });
        for (const bundle of [rootless, alone]) {
          const { status, stderr } = await sandbox.run(["run", "--bundle", bundle, `u${++count}`]);
          assert.equal(status, 1);
          assert.match(stderr, /linux\.uidMappings: it needs|needs a mapping of 0/);
        }
      });
  });
}
