import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { capabilitySets, defaultCapabilities } from "../../src/kernel/capabilities.ts";
import { parseLandlockPolicy } from "../../src/kernel/landlock/parse.ts";
import { resolveLandlock } from "../../src/kernel/landlock/ruleset.ts";
import { landlockSupport } from "../../src/kernel/landlock/support.ts";
import { ExecuteError } from "../../src/runtime/execute-error.ts";
import type { ProcessSpec } from "../../src/runtime/types.ts";
import { testExecutor } from "../support/helper.ts";
import { HostContainers } from "../support/host-container.ts";
import { eventually } from "../support/process.ts";
import { requiresKernel } from "../support/requires.ts";

const { executor, directory } = testExecutor();
const containers = new HostContainers(executor, directory);
after(() => containers.close());
const support = await landlockSupport(executor);

/** What of Landlock a test needs: all of it came with Linux 6.12. */
const newest = requiresKernel(support.abi >= 6 ? undefined : `needs Landlock's interface 6, there is ${support.abi}`);

/** A process under these policies, one layer each. */
function under(...policies: string[]): Pick<ProcessSpec, "landlock"> {
  return {
    landlock: policies.flatMap((policy) => resolveLandlock(parseLandlockPolicy(policy), support).ruleset ?? []),
  };
}

/** Lines of shell each of which prints something, or "refused". */
function script(lines: readonly string[]): string {
  return lines.map((line) => `(${line}) 2>/dev/null || echo refused`).join("\n");
}

/** What the lines print under policies. */
async function said(lines: readonly string[], ...policies: string[]): Promise<string[]> {
  const { stdout } = await containers.run(script(lines), { process: under(...policies) });
  return stdout.split("\n").slice(0, -1);
}

const nobody = { user: { uid: 65_534, gid: 65_534, additionalGids: [], home: "/" } };

describe("Landlock", newest, () => {
  test("files: written only where a policy says", async () => {
    const lines = [
      "echo x > /tmp/a && cat /tmp/a",
      "echo x > /etc/a",
      "mkdir /etc/directory",
      "rm /etc/passwd",
      "truncate -s 0 /etc/passwd",
      "mv /tmp/a /etc/a",
      "echo x > /dev/null && echo device",
      "cat /etc/hostname > /dev/null && echo read",
      "cp /bin/true /tmp/true && /tmp/true && echo executed",
    ];
    const refused = ["refused", "refused", "refused", "refused", "refused"];
    assert.deepEqual(await said(lines, "write=/tmp:/dev"), ["x", ...refused, "device", "read", "executed"]);
  });

  test("files: read only where a policy says, a single file among it", async () => {
    const lines = [
      "cat /etc/group > /dev/null && echo read",
      "cat /etc/hostname",
      "ls /etc",
      "ls /",
      "echo x > /etc/a && echo written",
    ];
    const policy = "read=/usr:/dev:/etc/group:-/lib:-/lib64:-/bin:-/no/such/place";
    assert.deepEqual(await said(lines, policy), ["read", "refused", "refused", "refused", "written"]);
  });

  test("files: executed only where a policy says; what it does not name stays as it is", async () => {
    const lines = [
      "cp /bin/true /tmp/true && /tmp/true",
      "mkdir /tmp/b && echo x > /tmp/c && mv /tmp/c /tmp/b/c && cat /tmp/b/c",
      "ls /etc/hostname",
    ];
    assert.deepEqual(await said(lines, "execute=/usr:-/bin:-/lib:-/lib64"), ["refused", "x", "/etc/hostname"]);
    const spec = containers.spec("", { process: under("execute=/tmp") });
    await assert.rejects(
      containers.start(spec),
      (error: unknown) => error instanceof ExecuteError && error.exitCode === 126 && /denied/.test(error.message),
    );
  });

  test("every layer has to allow", async () => {
    const lines = ["echo x > /tmp/a && cat /tmp/a", "echo x > /var/a", "echo x > /etc/a"];
    assert.deepEqual(await said(lines, "write=/tmp:/var:/dev", "write=/tmp:/etc:/dev"), ["x", "refused", "refused"]);
  });

  test("nobody mounts any more, and root's user has no way out by users, privileges or children", async () => {
    const lines = ["mount -t tmpfs none /mnt", "(sh -c 'echo x > /etc/a')", "setsid sh -c 'echo x > /etc/a'"];
    const admin = capabilitySets([...defaultCapabilities, "CAP_SYS_ADMIN"], 0);
    for (const process of [{}, { noNewPrivileges: true }, { capabilities: admin }, nobody]) {
      const { stdout } = await containers.run(script(lines), { process: { ...under("write=/tmp:/dev"), ...process } });
      assert.equal(stdout, "refused\n".repeat(3), JSON.stringify(process));
    }
  });

  test("TCP: ports to bind and to connect to", async () => {
    const lines = [
      "busybox nc -l -p 7001 -e echo hello & until busybox nc -w 60 127.0.0.1 7001; do :; done",
      "busybox nc -l -p 7002 2>&1 | grep -o denied",
      "busybox nc -w 1 127.0.0.1 7003 2>&1 | grep -o denied",
      "busybox nc -w 1 127.0.0.1 7001 2>&1 | grep -o 'Connection refused'",
    ];
    assert.deepEqual(await said(lines, "bind=7001,connect=7001"), ["hello", "denied", "denied", "Connection refused"]);
  });

  test("scopes: signals and abstract sockets stay among the confined", async () => {
    const perl = (code: string) => `perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0); ${code}'`;
    const address = 'pack_sockaddr_un("\\0sampan")';
    const listen = perl(`bind(S, ${address}); listen(S, 9); print "ready\\n"; sleep 1000`);
    const connect = perl(`print connect(S, ${address}) ? "connected\\n" : "refused\\n"`);
    const spec = containers.spec(`trap 'exit 3' TERM; ${listen} & while :; do sleep 0.01; done`);
    const running = await containers.start(spec);
    const send = "kill -TERM 1 2>/dev/null && echo sent || echo refused";
    await eventually(
      "it listens",
      async () => (await containers.exec(running, spec, connect)).stdout === "connected\n",
    );
    const scoped = async (line: string, scope: string) =>
      (await containers.exec(running, spec, line, under(`scope=${scope}`))).stdout;
    assert.equal(await scoped(connect, "abstract-unix-socket"), "refused\n");
    assert.equal(await scoped(connect, "signal"), "connected\n");
    assert.equal(await scoped(`${send}; sleep 100 & kill $! && echo child`, "signal"), "refused\nchild\n");
    await scoped(send, "abstract-unix-socket");
    assert.equal((await running.exited).code, 3);
  });

  test("an exec has the rules of its container", async () => {
    const process = under("write=/tmp:/dev,connect=");
    const spec = containers.spec("sleep 1000", { process });
    const running = await containers.start(spec);
    const lines = ["echo x > /tmp/a && cat /tmp/a", "echo x > /etc/a", "busybox nc -w 1 127.0.0.1 7001"];
    assert.equal((await containers.exec(running, spec, script(lines))).stdout, "x\nrefused\nrefused\n");
    const beside = [
      "readlink /proc/1/fd/0",
      "readlink /proc/$$/fd/0 > /dev/null && echo its own",
      "tr '\\0' ' ' < /proc/1/cmdline",
    ];
    const { stdout } = await containers.exec(running, spec, script(beside));
    assert.match(stdout, /^refused\nits own\n.*sleep 1000/, "the two are confined beside each other");
    running.signal(9);
    await running.exited;
  });

  test("a container cannot turn the rules of the next process by a link", async () => {
    const spec = containers.spec("mkdir /tmp/tools && rmdir /tmp/tools && ln -s /etc /tmp/tools; sleep 1000", {
      process: under("write=/tmp:/dev"),
    });
    const running = await containers.start(spec);
    await eventually("the link is there", async () => {
      const { stdout } = await containers.exec(running, spec, "readlink /tmp/tools");
      return stdout === "/etc\n";
    });
    await assert.rejects(
      containers.exec(running, spec, "echo x > /etc/a", under("write=/tmp/tools")),
      /Cannot confine by Landlock: \/tmp\/tools: a symbolic link is on the way/,
    );
    const optional = await containers.exec(running, spec, script(["echo x > /etc/a"]), under("write=-/tmp/tools:/dev"));
    assert.equal(optional.stdout, "refused\n");
    running.signal(9);
    await running.exited;
  });

  test("a thousand rules", async () => {
    const paths = Array.from({ length: 200 }, (_, index) => `-/no/such/${index}`);
    const ports = Array.from({ length: 1000 }, (_, index) => 7000 + index);
    const policy = JSON.stringify({ write: [...paths, "/tmp", "/dev"], bind: ports, connect: ports });
    const lines = ["echo x > /tmp/a && cat /tmp/a", "echo x > /etc/a"];
    assert.deepEqual(await said(lines, policy), ["x", "refused"]);
  });

  test("a process that may have few files open is confined all the same", async () => {
    const process = { ...under("write=/tmp:/dev"), rlimits: [{ name: "nofile", soft: 4, hard: 4 }] } as const;
    const { code, stderr } = await containers.run("cat /etc/group", { process });
    assert.equal(code, 0, stderr);
  });

  test("what a rule is about has to be there, and to be what it is about", async () => {
    await assert.rejects(
      containers.run("true", { process: under("write=/no/such/place") }),
      /\/no\/such\/place: there is none in the container; name it -\/no\/such\/place where it may be missing/,
    );
    await assert.rejects(
      containers.run("true", { process: under("make-sock=/etc/passwd") }),
      /allow make-sock in \/etc\/passwd: it is a file, and that is about directories/,
    );
  });

  test("PID 1 of Sampan's own is under the rules, too, and hands signals on", async () => {
    const process = under("write=/tmp:/dev,scope=signal");
    const line = "trap 'exit 42' TERM; echo x > /etc/a || kill -TERM 1; while :; do sleep 0.01; done";
    const running = await containers.start(containers.spec(line, { init: true, process }));
    assert.equal((await running.exited).code, 42);
  });

  test("explained as what it is", () => {
    const spec = containers.spec("true", { process: under("write=/tmp,connect=443,scope=signal") });
    const { text, steps } = containers.runtime.explain(spec, { files: { socket: "/never" }, hold: false });
    assert.match(text, /landlock_create_ruleset\(/);
    assert.match(text, /allow TCP connect at port 443/);
    const at = (call: string) => steps.findIndex((step) => step.call.startsWith(`${call}(`));
    const order = ["pivot_root", "landlock_restrict_self", "setresuid", "execve"].map(at);
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    );
    assert.equal(steps[at("landlock_restrict_self")]?.concept, "security");
  });
});
