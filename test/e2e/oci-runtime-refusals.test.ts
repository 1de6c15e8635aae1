import assert from "node:assert/strict";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { OciSandbox, sampanRuntime, type TestConfig } from "../support/oci.ts";
import { requiresRoot } from "../support/requires.ts";

describe("what sampan-runtime refuses, and tells", requiresRoot(), () => {
  const sandbox = new OciSandbox(sampanRuntime);

  after(async () => assert.deepEqual(await sandbox.close(), []));

  async function refused(text: RegExp, change: (config: TestConfig) => void): Promise<void> {
    const bundle = await sandbox.bundle(change);
    const { status, stderr } = await sandbox.run(["create", "--bundle", bundle, "a"]);
    assert.match(stderr, text);
    assert.equal(status, 1);
    assert.equal(await sandbox.ok("list", "-q"), "");
  }

  test("a field that cannot be honoured is named, and nothing is left", async () => {
    await refused(/linux\.intelRdt is not supported: /, (config) => {
      config.linux.intelRdt = { closID: "x" };
    });
    await refused(/linux\.resources\.memory\.kernel is not supported: /, (config) => {
      config.linux.resources = { memory: { kernel: 1_000_000 } };
    });
    await refused(/linux\.resources\.memory\.limit: must be a whole number/, (config) => {
      config.linux.resources = { memory: { limit: "64m" } };
    });
    await refused(/mounts\[\d+\]\.source: \/nonexistent: no such file or directory/, (config) => {
      config.mounts.push({ destination: "/x", type: "bind", source: "/nonexistent", options: ["bind"] });
    });
    await refused(/process\.args must not be empty/, (config) => {
      config.process.args = [];
    });
    await refused(/ociVersion 2\.0\.0 is not one of 1\.x/, (config) => {
      config.ociVersion = "2.0.0";
    });
    await refused(/the root file system .*\/nowhere is no directory/, (config) => {
      config.root.path = "nowhere";
    });
  });

  test("properties that the specification does not know are passed over, unknown capabilities with a warning", async () => {
    const bundle = await sandbox.bundle((config) => {
      config.process.args = ["echo", "well"];
      config.later = { anything: 1 };
      config.process.capabilities = { bounding: ["CAP_KILL", "CAP_OF_TOMORROW"] };
    });
    const { status, stdout, stderr } = await sandbox.run(["run", "--bundle", bundle, "b"]);
    assert.deepEqual([status, stdout], [0, "well\n"]);
    assert.match(stderr, /level=warning msg="ignoring unknown capabilities: CAP_OF_TOMORROW"/);
  });

  test("commands and options that it does not have say so", async () => {
    for (const name of ["checkpoint", "restore"]) {
      const { status, stderr } = await sandbox.run([name, "x"]);
      assert.equal(status, 1);
      assert.match(stderr, new RegExp(`Cannot ${name}: checkpoints of containers are not supported`));
    }
    const log = join(sandbox.directory, "log");
    assert.match((await sandbox.run(["--log", log, "nonsense"])).stderr, /^unknown command "nonsense": see --help\n$/);
    assert.match((await sandbox.run(["create", "--nonsense"])).stderr, /flag provided but not defined: -nonsense/);
    assert.match((await sandbox.run(["state"])).stderr, /state\\" takes: state CONTAINER/);
    assert.match((await sandbox.run(["state", "../x"])).stderr, /invalid container ID format/);
  });

  test("limits of a running container are changed, but not below what is in use when asked so", async () => {
    const bundle = await sandbox.bundle((config) => {
      config.process.args = ["sleep", "1000"];
    });
    await sandbox.detached("run", "--detach", "--bundle", bundle, "c");
    const limits = (memory: object) =>
      sandbox.run(["update", "--resources", "-", "c"], { input: JSON.stringify({ memory }) });
    assert.equal((await limits({ limit: 50_000_000 })).status, 0);
    const { status, stderr } = await limits({ limit: 4096, checkBeforeUpdate: true });
    assert.equal(status, 1);
    assert.match(stderr, /memory\.limit: 4096 bytes are less than the \d+ in use/);
    const { data } = JSON.parse(await sandbox.ok("events", "--stats", "c"));
    assert.equal(data.memory.usage.limit, 50_000_000 - (50_000_000 % 4096));
    assert.ok(data.memory.usage.usage > 0);
    assert.equal(data.pids.current, 1);
    await sandbox.ok("delete", "--force", "c");
  });

  test("features is the specification's document", async () => {
    const features = JSON.parse(await sandbox.ok("features"));
    assert.equal(features.ociVersionMin, "1.0.0");
    assert.ok(features.hooks.includes("startContainer"));
    assert.ok(features.mountOptions.includes("rro"));
    assert.ok(features.linux.namespaces.includes("network"));
    assert.ok(features.linux.seccomp.operators.includes("SCMP_CMP_MASKED_EQ"));
  });
});
