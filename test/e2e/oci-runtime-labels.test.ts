import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { OciSandbox, runtimes, sampanRuntime } from "../support/oci.ts";
import { succeed } from "../support/process.ts";
import { requires, requiresKernel, requiresRoot } from "../support/requires.ts";

const enabled = "/sys/module/apparmor/parameters/enabled";
const hasAppArmor = existsSync(enabled) && readFileSync(enabled, "latin1").startsWith("Y");
const missing = requires("apparmor_parser");
const needed = "skip" in missing ? missing : requiresKernel(hasAppArmor ? undefined : "AppArmor");

const profile = `sampan-test-${process.pid}`;
const text = `profile ${profile} flags=(attach_disconnected,mediate_deleted) {
  file,
  capability,
  signal,
  network,
  unix,
  deny /etc/passwd r,
}
`;

async function parser(...options: string[]): Promise<void> {
  if (!existsSync("/sys/kernel/security/apparmor")) {
    mkdirSync("/sys/kernel/security", { recursive: true });
    await succeed("mount", ["-t", "securityfs", "securityfs", "/sys/kernel/security"]);
  }
  const child = ["-c", 'printf %s "$TEXT" | apparmor_parser "$@"', "sh", ...options];
  await succeed("sh", child, { env: { ...process.env, TEXT: text } });
}

describe("AppArmor profiles", needed, () => {
  before(() => parser("--replace", "--skip-cache"));
  after(() => parser("--remove"));

  for (const { name, binary } of runtimes) {
    const skip = binary === undefined ? requires(name) : requiresRoot();
    test(`by ${name}: of the first process and of exec`, skip, async () => {
      const sandbox = new OciSandbox(binary ?? "");
      const line = "cat /proc/self/attr/current; cat /etc/passwd >/dev/null 2>&1 || echo denied";
      const bundle = await sandbox.bundle((config) => {
        config.process.args = ["sh", "-c", `${line}; exec sleep 1000`];
        config.process.apparmorProfile = profile;
      });
      const expected = `${profile} (enforce)\ndenied\n`;
      const out = `${sandbox.directory}/out`;
      await sandbox.shell(`"$@" </dev/null >${out} 2>"$LOG"`, "run", "--detach", "--bundle", bundle, "a");
      assert.equal(await sandbox.ok("exec", "a", "sh", "-c", line), expected);
      assert.equal(readFileSync(out, "utf8"), expected);
      assert.deepEqual(await sandbox.ok("delete", "--force", "a"), "");
      assert.deepEqual(await sandbox.close(), []);
    });
  }

  test("one that is not loaded is an error", requiresRoot(), async () => {
    const sandbox = new OciSandbox(sampanRuntime);
    const bundle = await sandbox.bundle((config) => {
      config.process.apparmorProfile = "sampan-no-such";
    });
    const { status, stderr } = await sandbox.run(["run", "--bundle", bundle, "b"]);
    assert.equal(status, 1);
    assert.match(stderr, /be confined by the AppArmor profile sampan-no-such, which must be loaded: .*ENOENT/);
    assert.deepEqual(await sandbox.close(), []);
  });
});

describe("labels of a security module that does not run", requiresRoot(), () => {
  test("are refused by their names", async () => {
    const sandbox = new OciSandbox(sampanRuntime);
    const bundle = await sandbox.bundle((config) => {
      if (hasAppArmor) config.process.selinuxLabel = "a:b:c:s0";
      else config.process.apparmorProfile = "docker-default";
    });
    const { status, stderr } = await sandbox.run(["run", "--bundle", bundle, "c"]);
    assert.equal(status, 1);
    const field = hasAppArmor ? "process.selinuxLabel" : "process.apparmorProfile";
    assert.ok(stderr.includes(`${field} is not supported here: this machine runs without`), stderr);
    assert.deepEqual(await sandbox.close(), []);
  });
});
