import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { OciSandbox, runtimes, type TestConfig } from "../support/oci.ts";
import { requires, requiresRoot } from "../support/requires.ts";

/** What of Debian's runtimes is older than the field. */
const since: Readonly<Record<string, readonly string[]>> = {
  "sampan-runtime": ["scheduler", "affinity", "personality", "memoryPolicy", "time"],
  crun: ["personality"], // with a time namespace 1.8 loses its own connection
};

for (const { name, binary } of runtimes) {
  const skip = binary === undefined ? requires(name) : requiresRoot();
  const known = since[name] ?? [];
  if (known.length === 0) continue;
  describe(`how the kernel treats a process of ${name}`, skip, () => {
    const sandbox = new OciSandbox(binary ?? "");
    let count = 0;

    after(async () => assert.deepEqual(await sandbox.close(), []));

    async function print(line: string, change: (config: TestConfig) => void): Promise<string> {
      const bundle = await sandbox.bundle((config) => {
        config.process.args = ["sh", "-c", line];
        change(config);
      });
      return sandbox.ok("run", "--bundle", bundle, `a${++count}`);
    }

    const has = (field: string) => known.includes(field);

    if (has("scheduler"))
      test("scheduler and I/O priority, of the first process and of exec", async () => {
        const attributes = {
          scheduler: { policy: "SCHED_BATCH", nice: 5 },
          ioPriority: { class: "IOPRIO_CLASS_BE", priority: 6 },
        };
        // Fields of proc_pid_stat(5): nice, rt_priority, policy
        const schedule = "awk '{ print $19, $40, $41 }' /proc/self/stat";
        const line = `${schedule}; ionice -p $$`;
        const expected = "5 0 3\nbest-effort: prio 6\n";
        assert.equal(await print(line, (config) => Object.assign(config.process, attributes)), expected);
        const idle = await print("awk '{ print $40, $41 }' /proc/self/stat", (config) => {
          config.process.scheduler = { policy: "SCHED_IDLE" };
        });
        assert.equal(idle, "0 5\n");
        const bundle = await sandbox.bundle((config) => {
          config.process.args = ["sleep", "1000"];
          Object.assign(config.process, attributes);
        });
        await sandbox.detached("run", "--detach", "--bundle", bundle, "b");
        assert.equal(await sandbox.ok("exec", "b", "sh", "-c", line), expected);
        await sandbox.ok("delete", "--force", "b");
      });

    if (has("affinity"))
      test("the processors of exec, not of the first process", async () => {
        const bundle = await sandbox.bundle((config) => {
          config.process.args = ["sleep", "1000"];
          config.process.execCPUAffinity = { initial: "0", final: "0" };
        });
        await sandbox.detached("run", "--detach", "--bundle", bundle, "c");
        const list = (pid: string) => `grep Cpus_allowed_list /proc/${pid}/status | cut -f2`;
        assert.equal(await sandbox.ok("exec", "c", "sh", "-c", list("self")), "0\n");
        const own = await sandbox.shell(list("self"));
        assert.equal(await sandbox.ok("exec", "c", "sh", "-c", list("1")), own);
        await sandbox.ok("delete", "--force", "c");
      });

    if (has("personality"))
      test("personality", async () => {
        const machine = await print("uname -m", (config) => {
          config.linux.personality = { domain: "LINUX32" };
        });
        assert.match(machine, /^(i686|armv8l)\n$/);
      });

    if (has("memoryPolicy"))
      test("memory policy", async () => {
        const maps = await print("cut -d' ' -f2 /proc/self/numa_maps | sort -u", (config) => {
          config.linux.memoryPolicy = { mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"] };
        });
        assert.match(maps, /bind=static:0/);
      });

    if (has("time"))
      test("a time namespace with offsets, which exec enters", async () => {
        const bundle = await sandbox.bundle((config) => {
          config.process.args = ["sleep", "1000"];
          config.linux.namespaces.push({ type: "time" });
          config.linux.timeOffsets = { boottime: { secs: 1_000_000_000, nanosecs: 5 }, monotonic: { secs: 7 } };
        });
        await sandbox.detached("run", "--detach", "--bundle", bundle, "d");
        const offsets = "awk '{ print $1, $2, $3 }' /proc/self/timens_offsets; cut -c1 /proc/uptime";
        assert.equal(await sandbox.ok("exec", "d", "sh", "-c", offsets), "monotonic 7 0\nboottime 1000000000 5\n1\n");

        // Another container joins it by its path
        const { pid } = await sandbox.state("d");
        const joined = await print(offsets, (config) => {
          config.linux.namespaces.push({ type: "time", path: `/proc/${pid}/ns/time` });
        });
        assert.equal(joined, "monotonic 7 0\nboottime 1000000000 5\n1\n");
        await sandbox.ok("delete", "--force", "d");
      });
  });
}
