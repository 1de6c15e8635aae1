import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { OciSandbox, runtimes, type TestConfig } from "../support/oci.ts";
import { requires, requiresRoot } from "../support/requires.ts";

/** What of config.json reaches the container, seen from inside. Every scenario holds for runc and crun, too. */
for (const { name, binary } of runtimes) {
  const skip = binary === undefined ? requires(name) : requiresRoot();
  describe(`config.json by ${name}`, skip, () => {
    const sandbox = new OciSandbox(binary ?? "");
    let count = 0;

    after(async () => assert.deepEqual(await sandbox.close(), []));

    /** What a line of shell prints in a container of a changed configuration. */
    async function print(line: string, change: (config: TestConfig) => void = () => {}): Promise<string> {
      const bundle = await sandbox.bundle((config) => {
        config.process.args = ["sh", "-c", line];
        change(config);
      });
      return sandbox.ok("run", "--bundle", bundle, `c${++count}`);
    }

    test("user, groups, umask, working directory and environment", async () => {
      const text = await print("id -u; id -g; id -G; umask; pwd; echo $WORD; ls -ld /made", (config) => {
        config.root.readonly = false;
        config.process.user = { uid: 1000, gid: 1000, umask: 0o27, additionalGids: [5, 2000] };
        config.process.cwd = "/made/there";
        config.process.env = ["PATH=/bin", "WORD=a b"];
      });
      assert.match(text, /^1000\n1000\n1000 5 2000\n0027\n\/made\/there\na b\ndrwxr-xr-x .*\/made\n$/);
    });

    test("capabilities, no_new_privs, limits and OOM score", async () => {
      const sets = ["CAP_KILL", "CAP_NET_RAW"];
      const line =
        "grep -E '^(Cap|NoNewPrivs)' /proc/self/status; ulimit -Sn; ulimit -Hn; cat /proc/self/oom_score_adj";
      const text = await print(line, (config) => {
        config.process.capabilities = {
          bounding: [...sets, "CAP_CHOWN"],
          permitted: sets,
          effective: ["CAP_KILL"],
          inheritable: ["CAP_KILL"],
          ambient: ["CAP_KILL"],
        };
        config.process.user = { uid: 1000, gid: 1000 };
        config.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 100, hard: 200 }];
        config.process.oomScoreAdj = 321;
      });
      assert.deepEqual(text.split(/\s+/), [
        ...["CapInh:", "0000000000000020", "CapPrm:", "0000000000000020", "CapEff:", "0000000000000020"],
        ...["CapBnd:", "0000000000002021", "CapAmb:", "0000000000000020", "NoNewPrivs:", "1"],
        ...["100", "200", "321", ""],
      ]);
    });

    test("HOME is what the container's own passwd says, unless it is given", async () => {
      const env = ["PATH=/bin"];
      const home = (uid: number, more: string[] = []) =>
        print("echo $HOME", (config) => {
          config.process.user = { uid, gid: uid };
          config.process.env = [...env, ...more];
        });
      assert.equal(await home(0), "/root\n");
      assert.equal(await home(1000), "/tmp\n");
      if (name !== "crun") assert.equal(await home(4711), "/\n", "crun leaves it out");
      assert.equal(await home(0, ["HOME=/elsewhere"]), "/elsewhere\n");
    });

    test("host name, and kernel parameters of its own namespaces", async () => {
      const text = await print("hostname; cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmni", (config) => {
        config.hostname = "mine";
        config.linux.sysctl = { "net.ipv4.ip_forward": "1", "kernel.shmmni": "77" };
      });
      assert.equal(text, "mine\n1\n77\n");
    });

    test("a kernel parameter of the whole machine is refused", async () => {
      const bundle = await sandbox.bundle((config) => {
        config.linux.sysctl = { "vm.swappiness": "1" };
      });
      const { status, stderr } = await sandbox.run(["run", "--bundle", bundle, `c${++count}`]);
      assert.notEqual(status, 0);
      assert.match(stderr, /vm\.swappiness/);
    });

    test("masked and read-only paths, a read-only root, and a writable one", async () => {
      const line =
        "ls /proc/scsi | wc -l; wc -c < /proc/keys; echo 1 2>/dev/null > /proc/sys/kernel/hostname || echo kept; touch /x 2>/dev/null || echo root kept";
      assert.equal(await print(line), "0\n0\nkept\nroot kept\n");
      const writable = await print("touch /x && echo made", (config) => {
        config.root.readonly = false;
      });
      assert.equal(writable, "made\n");
    });

    test("devices: the default ones, those that are listed, and rules", async () => {
      const line =
        "ls -l /dev/null /dev/extra | awk '{print $1, $3, $4, $5, $6}'; head -c 1 /dev/extra | wc -c; head -c 1 /dev/kmsg 2>&1 | head -1; readlink /dev/fd; readlink /dev/stdin";
      const text = await print(line, (config) => {
        config.linux.devices = [
          { path: "/dev/extra", type: "c", major: 1, minor: 5, fileMode: 0o644, uid: 3, gid: 4 },
          { path: "/dev/kmsg", type: "c", major: 1, minor: 11, fileMode: 0o666 },
        ];
        config.linux.resources = { devices: [{ allow: false, access: "rwm" }] };
      });
      assert.match(
        text,
        /^crw-r--r-- 3 4 1, 5\ncrw-rw-rw- (?:0|root) 0 1, 3\n1\n.*(Operation not permitted|can't open).*\n\/proc\/self\/fd\n\/proc\/self\/fd\/0\n$/,
      );
    });

    test("mounts: file systems with their options, binds with attributes, in their order", async () => {
      const source = join(sandbox.directory, "shared");
      mkdirSync(source, { recursive: true });
      writeFileSync(join(source, "file"), "of the machine\n");
      const line = [
        "grep -E ' /(small|there|file) ' /proc/self/mounts | cut -d' ' -f2-4 | sed 's/relatime,*//;s/inode64//;s/,*$//'",
        "cat /there/file /file",
        "touch /there/new 2>/dev/null || echo kept",
        "ls -d /small/below",
      ].join("; ");
      const text = await print(line, (config) => {
        config.root.readonly = false;
        config.mounts.push(
          {
            destination: "/small",
            type: "tmpfs",
            source: "tmpfs",
            options: ["nosuid", "noexec", "size=64k", "mode=700"],
          },
          { destination: "/small/below", type: "tmpfs", source: "tmpfs", options: ["nodev"] },
          { destination: "/there", type: "bind", source, options: ["rbind", "ro", "nosuid"] },
          { destination: "/file", type: "bind", source: join(source, "file"), options: ["bind", "nodev"] },
        );
      });
      assert.match(text, /^\/small tmpfs rw,nosuid,noexec,.*size=64k,mode=700.*$/m);
      assert.match(text, /^\/there \w+ ro,nosuid,/m);
      assert.match(text, /^\/file \w+ rw,nodev,/m);
      assert.match(text, /of the machine\nof the machine\nkept\n\/small\/below\n$/);
    });

    test("propagation of mounts and of the root", async () => {
      const tags = "awk '$5 == \"/\" || $5 == \"/p\" {print $5, $7, $8}' /proc/self/mountinfo | sed 's/:[0-9]*//'";
      const text = await print(tags, (config) => {
        config.mounts.push({ destination: "/p", type: "tmpfs", source: "tmpfs", options: ["shared"] });
        config.root.readonly = false;
      });
      if (name !== "crun") assert.match(text, /^\/p shared -$/m, "crun 1.8 leaves a new file system private");
      assert.doesNotMatch(text, /^\/ shared/m);
      // runc 1.1 leaves it private
      for (const propagation of name === "runc" ? [] : ["shared", "rshared"])
        assert.match(
          await print(tags, (config) => Object.assign(config.linux, { rootfsPropagation: propagation })),
          /^\/ shared/m,
        );
    });

    test("namespaces: those of the caller, and those that are joined by a path", async () => {
      const holder = await sandbox.bundle((config) => {
        config.process.args = ["sleep", "1000"];
        config.hostname = "holder";
      });
      await sandbox.detached("run", "--detach", "--bundle", holder, "holder");
      const { pid } = await sandbox.state("holder");
      const text = await print("hostname; readlink /proc/self/ns/net; readlink /proc/self/ns/uts", (config) => {
        config.hostname = undefined;
        config.linux.namespaces = config.linux.namespaces
          .filter(({ type }) => type !== "network")
          .map((namespace) => (namespace.type === "uts" ? { type: "uts", path: `/proc/${pid}/ns/uts` } : namespace));
      });
      const [hostname, network, uts] = text.split("\n");
      assert.equal(hostname, "holder");
      assert.equal(network, readlink("self", "net"));
      assert.equal(uts, readlink(String(pid), "uts"));
      await sandbox.ok("delete", "--force", "holder");
    });

    test("a mount namespace that somebody else has made becomes the container's", async () => {
      const maker = spawn("unshare", ["--mount", "--propagation", "private", "sh", "-c", "echo ready; exec cat"]);
      await once(maker.stdout, "data");
      const text = await print("readlink /proc/self/ns/mnt; ls /; cat /proc/self/mounts", (config) => {
        const joined = { type: "mount", path: `/proc/${maker.pid}/ns/mnt` };
        config.linux.namespaces = [...config.linux.namespaces.filter(({ type }) => type !== "mount"), joined];
      });
      const [namespace] = text.split("\n");
      assert.equal(namespace, readlink(String(maker.pid), "mnt"));
      assert.ok(!text.includes(sandbox.directory), "the machine's file systems are out of sight");
      const ended = once(maker, "exit");
      maker.stdin.end();
      await ended;
    });

    test("limits are in the container's cgroup", async () => {
      const files = [
        "/sys/fs/cgroup/{memory/memory.limit_in_bytes,memory.max}",
        "/sys/fs/cgroup/{pids/pids.max,pids.max}",
        "/sys/fs/cgroup/{cpu/cpu.cfs_quota_us,cpu.max}",
      ];
      const line = files
        .map((file) => `cat ${file.replace(/\{(.*),(.*)\}/, "$1 2>/dev/null || cat /sys/fs/cgroup/$2")}`)
        .join("; ");
      const text = await print(line, (config) => {
        config.linux.resources = {
          memory: { limit: 67_108_864 },
          pids: { limit: 33 },
          cpu: { quota: 25_000, period: 50_000, shares: 512 },
        };
      });
      assert.match(text, /^67108864\n33\n25000( 50000)?\n$/);
    });

    test("seccomp: actions, arguments and errnos", async () => {
      const text = await print("", (config) => {
        config.root.readonly = false;
        config.process.args = [
          "sh",
          "-c",
          "touch /tmp/y; mkdir /tmp/x 2>&1; chmod 4777 /tmp/y 2>&1; chmod 777 /tmp/y && echo changed",
        ];
        config.linux.seccomp = {
          defaultAction: "SCMP_ACT_ALLOW",
          architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"].slice(
            process.arch === "x64" ? 0 : 1,
            process.arch === "x64" ? 1 : 2,
          ),
          syscalls: [
            { names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 28 },
            {
              names: ["chmod"],
              action: "SCMP_ACT_ERRNO",
              args: [{ index: 1, value: 0o4000, valueTwo: 0o4000, op: "SCMP_CMP_MASKED_EQ" }],
            },
            {
              names: ["fchmodat"],
              action: "SCMP_ACT_ERRNO",
              args: [{ index: 2, value: 0o4000, valueTwo: 0o4000, op: "SCMP_CMP_MASKED_EQ" }],
            },
          ],
        };
      });
      assert.match(text, /^mkdir: .*No space left on device\nchmod: .*Operation not permitted\nchanged\n$/);
    });

    test("hooks: all six, in their order and with the container's state", async () => {
      const log = join(sandbox.directory, `hooks${name}`);
      const bundle = await sandbox.bundle((config) => {
        const script = `echo "$1 $(tr -d ' \\n\\t' | grep -o '"status":"[a-z]*"')" >> "$LOG"`;
        const hook = (kind: string) => [
          { path: "/bin/sh", args: ["sh", "-c", script, "sh", kind], env: [`LOG=${log}`, "PATH=/usr/bin:/bin"] },
        ];
        config.process.args = ["true"];
        config.mounts.push({
          destination: sandbox.directory,
          type: "bind",
          source: sandbox.directory,
          options: ["bind"],
        });
        config.root.readonly = false;
        config.hooks = Object.fromEntries(
          ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"].map((kind) => [
            kind,
            hook(kind),
          ]),
        );
      });
      await sandbox.detached("create", "--bundle", bundle, "hooked");
      const creating = name === "crun" ? "created" : "creating"; // crun 1.8 is ahead of the specification
      const kinds = () => readFileSync(log, "utf8").trim().split("\n");
      assert.deepEqual(
        kinds().slice(0, 3),
        ["prestart", "createRuntime", "createContainer"].map((kind) => `${kind} "status":"${creating}"`),
      );
      await sandbox.ok("start", "hooked");
      await sandbox.run(["kill", "hooked", "KILL"]);
      await sandbox.ok("delete", "--force", "hooked");
      // runc 1.1 has poststart run at the end of create, before startContainer
      const late = kinds().slice(3);
      assert.deepEqual(late.map((line) => line.split(" ")[0]).sort(), ["poststart", "poststop", "startContainer"]);
      assert.equal(late.at(-1), 'poststop "status":"stopped"');
    });

    test("a hook that fails, or takes too long, fails the create", async () => {
      for (const kind of ["createRuntime", "createContainer"]) {
        for (const hook of [{ args: ["sh", "-c", "exit 3"] }, { args: ["sleep", "1000"], timeout: 1 }]) {
          const bundle = await sandbox.bundle((config) => {
            config.hooks = { [kind]: [{ path: hook.timeout ? "/bin/sleep" : "/bin/sh", ...hook }] };
          });
          const { status, stderr } = await sandbox.run(["run", "--bundle", bundle, `c${++count}`]);
          assert.notEqual(status, 0, `${kind} ${hook.args}: ${stderr}`);
        }
      }
      assert.equal(await sandbox.ok("list", "-q"), "");
    });
  });
}

function readlink(pid: string, namespace: string): string {
  return readlinkSync(`/proc/${pid}/ns/${namespace}`);
}
