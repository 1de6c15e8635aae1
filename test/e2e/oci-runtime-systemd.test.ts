import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { OciSandbox, sampanRuntime } from "../support/oci.ts";
import { eventually, succeed } from "../support/process.ts";
import { requiresKernel, requiresRoot } from "../support/requires.ts";

const runs = existsSync("/run/systemd/private");
const needed = requiresKernel(runs ? undefined : "systemd as its first process");

describe("--systemd-cgroup", requiresRoot(), () => {
  test("a container is a scope of systemd's, whose settings leave its limits alone", needed, async () => {
    const sandbox = new OciSandbox(sampanRuntime);
    const name = sandbox.mark;
    const unit = `tests-${name}.scope`;
    const bundle = await sandbox.bundle((config) => {
      config.process.args = ["sleep", "1000"];
      config.linux.cgroupsPath = `system.slice:tests:${name}`;
      config.linux.resources = { memory: { limit: 64 << 20 }, pids: { limit: 33 } };
    });
    // A flag of all commands, before the command
    const wrapper = join(sandbox.directory, "runtime");
    writeFileSync(wrapper, `#!/bin/sh\nexec ${sampanRuntime} --systemd-cgroup "$@"\n`, { mode: 0o755 });
    const state = join(sandbox.directory, "state");
    const detached = `"$0" --root "$1" run --detach --bundle "$2" s </dev/null >/dev/null 2>"$1.said"`;
    await succeed("sh", ["-c", detached, wrapper, state, bundle]);
    const { pid } = await sandbox.state("s");
    const cgroup = `/sys/fs/cgroup/system.slice/${unit}/container`;
    assert.match(readFileSync(`/proc/${pid}/cgroup`, "utf8"), new RegExp(`:/system.slice/${unit}/container$`, "m"));
    const limits = () => ["memory.max", "pids.max"].map((file) => readFileSync(`${cgroup}/${file}`, "utf8").trim());
    assert.deepEqual(limits(), [String(64 << 20), "33"]);
    assert.equal((await succeed("systemctl", ["is-active", unit])).trim(), "active");
    await succeed("systemctl", ["daemon-reload"]);
    assert.deepEqual(limits(), [String(64 << 20), "33"]);
    await sandbox.ok("exec", "s", "true");
    await sandbox.ok("delete", "--force", "s");
    await eventually("the scope is gone", () => !existsSync(`/sys/fs/cgroup/system.slice/${unit}`));
    assert.deepEqual(await sandbox.close(), []);
  });

  if (!runs)
    test("is refused where systemd does not run", async () => {
      const sandbox = new OciSandbox(sampanRuntime);
      const bundle = await sandbox.bundle((config) => {
        config.linux.cgroupsPath = "system.slice:tests:s";
      });
      const { status, stderr } = await sandbox.run(["--systemd-cgroup", "run", "--bundle", bundle, "s"]);
      assert.equal(status, 1);
      assert.match(stderr, /--systemd-cgroup is not supported here: systemd does not run/);
      assert.deepEqual(await sandbox.close(), []);
    });
});
