import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { requiresRoot } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

async function run(options: string[], script: string): Promise<{ status: number; out: string; err: string }> {
  const { status, stdout, stderr } = await box.run(["run", "--rm", ...options, "sampan/host", "sh", "-c", script]);
  return { status, out: stdout.trim(), err: stderr.trim() };
}

suite("limits of a container", requiresRoot(), () => {
  test("64 MB of memory: what takes more is killed, and the container says so", async () => {
    const hog = "x=aaaaaaaa; while :; do x=$x$x; done";
    const { status } = await box.run(["run", "--name", "hog", "--memory", "64m", "sampan/host", "sh", "-c", hog]);
    assert.equal(status, 137);
    assert.equal(await box.ok("inspect", "--format", "{{.State.OOMKilled}} {{.State.ExitCode}}", "hog"), "true 137");
    await box.ok("rm", "hog");
  });

  test("less than the limit is not killed", async () => {
    const { status, out } = await run(["--memory", "64m"], "head -c 30000000 /dev/zero | tail -c 30000000 | wc -c");
    assert.deepEqual([status, out], [0, "30000000"]);
  });

  test("--cpus 0.5 is half a CPU", async () => {
    // Processor time used in two seconds of trying, in clock ticks of 10 ms.
    const count = "sh -c \"timeout 2 sh -c 'while :; do :; done'; cat /proc/\\$\\$/stat\" | awk '{print $16 + $17}'";
    const half = Number((await run(["--cpus", "0.5"], count)).out) / 200;
    assert.ok(half > 0.2 && half < 0.65, `used ${half} of a CPU`);
  });

  test("--pids-limit 10 stops a fork bomb", async () => {
    const bomb = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1 & done; echo survived";
    const { err, out } = await run(["--pids-limit", "10"], bomb);
    assert.match(err, /[Cc]annot fork|Resource temporarily unavailable/);
    assert.doesNotMatch(out, /survived/);
    const recursive = await run(["--pids-limit", "10"], "f() { f | f & }; f; sleep 1; echo alive");
    assert.ok(recursive.err.length > 0);
  });

  test("--ulimit, --cpuset-cpus and --cpu-shares reach the process", async () => {
    assert.equal((await run(["--ulimit", "nofile=64:128"], "ulimit -Sn; ulimit -Hn")).out, "64\n128");
    assert.equal((await run(["--cpuset-cpus", "0"], "nproc")).out, "1");
    assert.equal((await run(["--cpu-shares", "512"], "true")).status, 0);
  });

  test("limits that make no sense are refused before anything starts", async () => {
    for (const options of [
      ["--memory", "1k"],
      ["--cpus", "-1"],
      ["--cpuset-cpus", "99"],
      ["--pids-limit", "x"],
    ]) {
      const { status, err } = await run(options, "true");
      assert.ok(status === 125, `${options.join(" ")}: status ${status}, ${err}`);
      assert.ok(err.length > 0);
    }
    assert.equal(await box.ok("ps", "-aq"), "");
  });
});
