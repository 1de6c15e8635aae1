import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { OciSandbox, runtimes, type TestConfig } from "../support/oci.ts";
import { eventually } from "../support/process.ts";
import { requires, requiresRoot } from "../support/requires.ts";

const program = resolve(import.meta.dirname, "../support/seccomp-listener.py");

interface ProcessState {
  readonly fds: readonly string[];
  readonly pid: number;
  readonly metadata?: string;
  readonly state: { readonly id: string; readonly pid: number; readonly status: string };
}

// What crun 1.8 tells a listener is no JSON, and to ask about everything makes it wait for ever
for (const { name, binary } of runtimes.filter(({ name }) => name !== "crun")) {
  const needs = requires("python3", ...(binary === undefined ? [name] : []));
  const skip = Object.keys(needs).length > 0 ? needs : requiresRoot();
  describe(`seccomp's questions by ${name}`, skip, () => {
    const sandbox = new OciSandbox(binary ?? "");
    const socket = join(sandbox.directory, "listener");
    let listener: ChildProcess;
    let said = "";

    before(async () => {
      listener = spawn("python3", [program, socket], { stdio: ["ignore", "pipe", "inherit"] });
      listener.stdout?.on("data", (chunk: Buffer) => (said += chunk));
      await eventually("it listens", () => said === "ready\n");
    });

    after(async () => {
      listener.kill();
      assert.deepEqual(await sandbox.close(), []);
    });

    const asking =
      (line: string, more: object = {}) =>
      (config: TestConfig) => {
        config.process.args = ["sh", "-c", line];
        config.root.readonly = false;
        config.linux.seccomp = {
          defaultAction: "SCMP_ACT_ALLOW",
          architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
          listenerPath: socket,
          listenerMetadata: "of the test",
          syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY" }],
          ...more,
        };
      };

    async function told(lines: number): Promise<ProcessState> {
      const text = await eventually("the listener is told", () => said.split("\n")[lines] || undefined);
      return JSON.parse(text) as ProcessState;
    }

    for (const noNewPrivileges of [true, false])
      test(`the listener is told of the container, and answers, ${noNewPrivileges ? "without" : "with"} new rights`, async () => {
        const id = `a${noNewPrivileges}`;
        const bundle = await sandbox.bundle((config) => {
          asking("mkdir /made 2>&1; sleep 1000")(config);
          config.process.noNewPrivileges = noNewPrivileges;
        });
        const before = said.split("\n").length - 1;
        await sandbox.detached("run", "--detach", "--bundle", bundle, id);
        const { fds, pid, metadata, state } = await told(before);
        assert.deepEqual({ fds, metadata, id: state.id }, { fds: ["seccompFd"], metadata: "of the test", id });
        assert.equal(pid, (await sandbox.state(id)).pid);
        assert.equal(state.pid, pid);
        const again = await sandbox.run(["exec", id, "mkdir", "/made"]);
        assert.match(again.stderr, /Text file busy/);
        const second = await told(before + 1);
        assert.notEqual(second.pid, pid);
        assert.equal(second.state.status, "running");
        await sandbox.ok("delete", "--force", id);
      });

    test("to ask about everything, about write, or nobody, is refused", async () => {
      const rule = (syscall: string) => ({ names: [syscall], action: "SCMP_ACT_NOTIFY" });
      for (const wrong of [
        { defaultAction: "SCMP_ACT_NOTIFY" },
        { syscalls: [rule("write")] },
        { listenerPath: "", listenerMetadata: "" },
      ]) {
        const bundle = await sandbox.bundle(asking("true", wrong));
        assert.notEqual((await sandbox.run(["run", "--bundle", bundle, "wrong"])).status, 0);
      }
    });
  });
}
