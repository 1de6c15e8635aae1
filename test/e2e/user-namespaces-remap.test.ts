import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { busybox } from "../support/images.ts";
import { sandbox } from "../support/sandbox.ts";

describe("a daemon that gives every container users of its own", () => {
  const box = sandbox();

  before(async () => {
    await box.start("--userns-remap", "default");
    await box.load(await busybox(), "busybox");
  });

  const run = (...args: string[]) => box.ok("run", "--network", "none", ...args);
  const keep = (name: string, ...options: string[]) =>
    run("-d", "--name", name, ...options, "busybox", "sleep", "1000");
  /** Who the root of a container is on the machine. */
  async function rootOf(name: string): Promise<number> {
    return statSync(`/proc/${await box.ok("inspect", "-f", "{{.State.Pid}}", name)}/root/etc`).uid;
  }

  test("all have the same ids, one of its own has others, and info tells", async () => {
    assert.match(await box.ok("info", "-f", "{{.SecurityOptions}}"), /name=userns/);
    for (const name of ["one", "two"]) await keep(name);
    await keep("apart", "--userns=auto");
    const [one, two, apart] = [await rootOf("one"), await rootOf("two"), await rootOf("apart")];
    assert.ok(one >= 2 ** 31);
    assert.equal(two, one);
    assert.notEqual(apart, one);
    assert.equal(await box.ok("inspect", "-f", "{{.HostConfig.UsernsMode}}", "one"), "");
    await box.ok("rm", "-f", "one", "two", "apart");
  });

  test("who shares another's network shares its users", async () => {
    await keep("owner", "--ipc", "shareable");
    const namespace = await box.ok("exec", "owner", "readlink", "/proc/self/ns/user");
    for (const shared of ["--network", "--ipc", "--pid"]) {
      const args = ["run", "--rm", ...(shared === "--network" ? [] : ["--network", "none"]), shared, "container:owner"];
      assert.equal(await box.ok(...args, "busybox", "readlink", "/proc/self/ns/user"), namespace);
    }
    await box.ok("rm", "-f", "owner");
  });

  test("the machine's users have to be asked for by who needs them", async () => {
    const host = readFileSync("/proc/self/uid_map", "latin1").trim().split(/\s+/).join(" ");
    const map = await run("--rm", "--userns=host", "busybox", "sh", "-c", "echo $(cat /proc/self/uid_map)");
    assert.equal(map, host);
    const refused = /privileged mode is incompatible with user namespaces/;
    await box.fails({ status: 125, stderr: refused }, "run", "--privileged", "busybox", "true");
    const shared = /cannot share the host's network namespace when user namespaces are enabled/;
    await box.fails({ status: 125, stderr: shared }, "run", "--network", "host", "busybox", "true");
    await run("--rm", "--privileged", "--userns=host", "busybox", "true");
  });

  test("steps of builds have them, too, with what is mounted in them", async () => {
    const context = join(box.directory, "context");
    mkdirSync(context);
    writeFileSync(join(context, "given"), "given\n");
    const lines = [
      "FROM busybox AS base",
      "RUN mkdir /out && tr -s ' ' < /proc/self/uid_map > /out/map && touch /out/theirs && chown 7:8 /out/theirs",
      "FROM busybox",
      "COPY --chown=5:6 given /copied",
      "RUN --mount=type=cache,target=/cache,uid=9 stat -c '%u' /cache > /cache-owner && touch /cache/x",
      "RUN --mount=type=bind,target=/ctx stat -c '%u %g' /ctx/given > /seen && cat /ctx/given",
      "RUN --mount=type=bind,from=base,source=/out,target=/base,rw cp -a /base /base-out && touch /base/x",
      "RUN --mount=type=tmpfs,target=/t touch /t/x && stat -c '%u %g' /copied > /copied-owner",
      "USER 1000",
      "RUN id -u > /tmp/user",
    ];
    writeFileSync(join(context, "Dockerfile"), lines.join("\n"));
    await box.ok("build", "-q", "-t", "made", context);
    const script =
      "cat /base-out/map /cache-owner /seen /copied-owner /tmp/user; stat -c '%u %g' /base-out/theirs /copied";
    const text = await run("--rm", "--user", "0", "made", "sh", "-c", script);
    assert.match(text, /^ 0 \d{10} 65536\n9\n0 0\n5 6\n1000\n7 8\n5 6$/);
    await box.ok("rmi", "made");
  });

  test("another setting is for containers made from then on", async () => {
    await keep("kept", "--restart", "always");
    const root = await rootOf("kept");
    await box.stop();
    await box.start();
    await box.ok("restart", "-t", "0", "kept");
    assert.equal(await rootOf("kept"), root);
    await keep("new");
    assert.equal(await rootOf("new"), 0);
    await box.ok("rm", "-f", "kept", "new");
  });

  test("a user without ids to give is told how to get some", async () => {
    await box.stop();
    const lacking = /no subuid ranges found for "nobody-like-that": add a line to \/etc\/subuid/;
    await assert.rejects(box.start("--userns-remap", "nobody-like-that"), { message: lacking });
  });
});
