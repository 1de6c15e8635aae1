import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { runProgram } from "../support/process.ts";
import { requiresRoot } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const checkout = resolve(import.meta.dirname, "../..");
const box = sandbox();

/** The first command of the README, as written there, without sudo. */
function command(): string {
  const readme = readFileSync(join(checkout, "README.md"), "utf8");
  return /^sudo (bin\/sampan run --rm sampan\/host .*)$/m.exec(readme)?.[1] ?? "";
}

test("the README's first command runs in a container of this machine's files", requiresRoot(), async () => {
  const { status, stdout, stderr } = await runProgram("sh", ["-c", command()], { cwd: checkout, env: box.env });
  assert.equal(status, 0, stderr);
  const lines = stdout.trimEnd().split("\n");
  assert.match(lines[0] ?? "", /^[0-9a-f]{12}$/, "hostname is the container's short id");
  assert.notEqual(lines[0], hostname());
  assert.match(stdout, /^uid=0\(root\) gid=0\(root\)/m);
  assert.match(stdout, /^root +1 +0 .* sh -c hostname; id/m, "the shell is PID 1");
  assert.equal(lines.filter((line) => /^root +\d+ /.test(line)).length, 2, "only the shell and ps are seen");
  const cgroups = lines.filter((line) => /^\d+:.*:\//.test(line));
  assert.ok(cgroups.length > 0);
  assert.ok(
    cgroups.every((line) => !line.includes("sampan")),
    "the cgroup namespace hides where the container is",
  );
  assert.equal(stderr, "");
});

test("nothing the container writes reaches the machine", requiresRoot(), async () => {
  const name = `sampan-was-here-${process.pid}`;
  await box.ok("run", "--rm", "sampan/host", "sh", "-c", `echo hi > /etc/${name} && cat /etc/${name}`);
  assert.equal((await runProgram("test", ["-e", `/etc/${name}`])).status, 1);
});

test("the machine's processes, devices and Sampan's own state are not seen", requiresRoot(), async () => {
  const seen = await box.ok(
    "run",
    "--rm",
    "sampan/host",
    "sh",
    "-c",
    "ls -A /run /tmp /dev; ls /proc | grep -c '^[0-9]'",
  );
  assert.doesNotMatch(seen, /sampan|vda|sda|mem\b|kmsg/);
  assert.equal((await box.run(["run", "--rm", "sampan/host", "test", "-e", box.layout.stateDb])).status, 1);
});

test("--explain prints the program and starts nothing", requiresRoot(), async () => {
  const plan = await box.ok("run", "--explain", "--memory", "64m", "sampan/host", "true");
  for (const call of ["clone3?", "move_mount", "pivot_root", "execve"])
    assert.match(plan, new RegExp(`^ +${call}\\(`, "m"));
  assert.equal(await box.ok("ps", "-aq"), "");
});
