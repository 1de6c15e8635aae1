import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { OciSandbox, runtimes, type TestConfig } from "../support/oci.ts";
import { eventually } from "../support/process.ts";
import { requires, requiresRoot } from "../support/requires.ts";

const sh = (line: string) => (config: TestConfig) => {
  config.process.args = ["sh", "-c", line];
};

for (const { name, binary } of runtimes) {
  const skip = binary === undefined ? requires(name) : requiresRoot();
  describe(`the life of a container by ${name}`, skip, () => {
    const sandbox = new OciSandbox(binary ?? "");

    after(async () => assert.deepEqual(await sandbox.close(), []));

    test("run: the program's output and status are the command's", async () => {
      const bundle = await sandbox.bundle(sh("cat; echo out; echo err >&2; exit 7"));
      const { status, stdout, stderr } = await sandbox.run(["run", "--bundle", bundle, "a"], { input: "in\n" });
      assert.deepEqual({ status, stdout, stderr }, { status: 7, stdout: "in\nout\n", stderr: "err\n" });
      assert.notEqual((await sandbox.run(["state", "a"])).status, 0, "it is gone with its end");
    });

    test("a signal's victim ends with 128 and its number", async () => {
      const bundle = await sandbox.bundle(sh("kill -KILL $$"));
      // PID 1 of a namespace is out of reach of its own signals
      const config = await sandbox.bundle((c) => {
        sh("sh -c 'kill -KILL $$'; exit $?")(c);
      });
      assert.equal((await sandbox.run(["run", "-b", config, "b"])).status, 137);
      assert.notEqual(bundle, config);
    });

    test("create, start, kill and delete: what the program does begins with start", async () => {
      const bundle = await sandbox.bundle((config) => {
        sh("echo started > /tmp/it; exec sleep 1000")(config);
        config.annotations = { "org.example": "yes" };
        config.root.readonly = false;
      });
      const file = join(bundle, "rootfs/tmp/it");
      const pidFile = join(sandbox.directory, "pid");
      await sandbox.detached("create", "--bundle", bundle, "--pid-file", pidFile, "c");
      const created = await sandbox.state("c");
      assert.equal(created.status, "created");
      assert.equal(String(created.pid), readFileSync(pidFile, "utf8"));
      assert.equal(created.bundle, bundle);
      assert.equal(created.annotations?.["org.example"], "yes");
      assert.ok(!existsSync(file));

      await sandbox.ok("start", "c");
      assert.equal((await sandbox.state("c")).status, "running");
      await eventually("the program has run", () => existsSync(file));
      assert.notEqual((await sandbox.run(["start", "c"])).status, 0, "it runs already");
      assert.notEqual((await sandbox.run(["delete", "c"])).status, 0, "it runs still");
      assert.notEqual((await sandbox.run(["create", "--bundle", bundle, "c"])).status, 0, "the id is taken");
      assert.deepEqual((await sandbox.ok("list", "-q")).trim().split("\n"), ["c"]);

      await sandbox.ok("kill", "c", "KILL");
      await eventually("it has ended", async () => (await sandbox.state("c")).status === "stopped");
      const late = await sandbox.run(["exec", "c", "true"]);
      assert.notEqual(late.status, 0);
      assert.match(late.stderr, /stopped|not running/);
      await sandbox.ok("delete", "c");
      assert.notEqual((await sandbox.run(["state", "c"])).status, 0);
      await sandbox.ok("delete", "--force", "c");
    });

    test("a created container that is never started is deleted", async () => {
      const bundle = await sandbox.bundle(sh("true"));
      await sandbox.detached("create", "--bundle", bundle, "d");
      await sandbox.ok("delete", "--force", "d");
      assert.equal(await sandbox.ok("list", "-q"), "");
    });

    test("exec, ps, pause, resume and update of a running container", async () => {
      const bundle = await sandbox.bundle(sh("exec sleep 1000"));
      await sandbox.detached("run", "--detach", "--bundle", bundle, "e");
      const { pid } = await sandbox.state("e");
      const inside = await sandbox.run([
        "exec",
        "--env",
        "A=b",
        "--env",
        "PATH=/bin", // crun takes these alone
        "--cwd",
        "/tmp",
        "e",
        "sh",
        "-c",
        "echo $A; pwd; exit 5",
      ]);
      const { status, stdout, stderr } = inside;
      assert.deepEqual({ status, stdout, stderr }, { status: 5, stdout: "b\n/tmp\n", stderr: "" });
      const user = await sandbox.ok("exec", "--user", "1000:1000", "e", "id", "-u");
      assert.equal(user, "1000\n");
      assert.match(await sandbox.ok("exec", "e", "ps"), /^\s*1 .*sleep 1000$/m);
      assert.deepEqual(JSON.parse(await sandbox.ok("ps", "--format", "json", "e")), [pid]);

      await sandbox.ok("pause", "e");
      assert.equal((await sandbox.state("e")).status, "paused");
      const frozen = await sandbox.run(["exec", "e", "true"]);
      assert.notEqual(frozen.status, 0);
      assert.match(frozen.stderr, /paused/);
      await sandbox.ok("resume", "e");
      assert.equal((await sandbox.state("e")).status, "running");

      await sandbox.ok("update", "--pids-limit", "17", "e");
      assert.equal(
        await sandbox.ok(
          "exec",
          "e",
          "sh",
          "-c",
          "cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null || true",
        ),
        "17\n",
      );
      await sandbox.ok("delete", "--force", "e");
    });

    test("a program that is not there fails the create, and leaves nothing", async () => {
      const bundle = await sandbox.bundle((config) => {
        config.process.args = ["no-such-program"];
      });
      const log = join(sandbox.directory, `${name}.log`);
      const { status } = await sandbox.run(["--log", log, "--log-format", "json", "create", "--bundle", bundle, "f"]);
      assert.equal(status, 1);
      const entries = readFileSync(log, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, string>);
      const error = entries.findLast(({ level }) => level === "error");
      assert.match(error?.msg ?? "", /executable file (`no-such-program` )?not found in \$PATH/);
      assert.match(error?.time ?? "", /^\d{4}-\d\d-\d\dT/);
      assert.equal(await sandbox.ok("list", "-q"), "");
    });
  });
}
