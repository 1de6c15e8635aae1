import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { mirrored, postgres } from "../suites/dockerfile/projects.ts";
import { buildContext } from "../support/builds.ts";
import { debian } from "../support/images.ts";
import { debianMirror } from "../support/mirror.ts";
import { eventually, type Finished } from "../support/process.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

/** Runs SQL by TCP from a container beside the database's, as a service would. */
function ask(sql: string): Promise<Finished> {
  const client = ["psql", "-h", "127.0.0.1", "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-Atc", sql];
  return box.run(["run", "--rm", "--network", "container:db", "--entrypoint", "env", "postgres:built", ...client]);
}

async function query(sql: string): Promise<string> {
  const { status, stdout, stderr } = await ask(sql);
  assert.equal(status, 0, stderr);
  return stdout.trimEnd();
}

const start = (name: string) =>
  box.ok("run", "-d", "--name", name, "--network", "none", "-v", "data:/var/lib/postgresql/data", "postgres:built");
const health = (name: string) => box.ok("inspect", "-f", "{{.State.Health.Status}}", name);
const healthy = (name: string) =>
  eventually(`${name} is healthy`, async () => (await health(name)) === "healthy", 60_000);
/** What the database has said since it was started last. */
const said = async (name: string) =>
  (await box.run(["logs", name])).stderr.split(/PostgreSQL .* starting|starting PostgreSQL/).at(-1) ?? "";

suite("PostgreSQL, built from a Dockerfile", requires("debootstrap", "dpkg-deb"), () => {
  before(async () => {
    const [base, mirror] = await Promise.all([debian(), debianMirror(mirrored)]);
    await box.load(base, "debian:12");
    const { status, stderr } = await box.run(
      ["build", "--build-context", `mirror=${mirror}`, "-t", "postgres:built", buildContext(box, postgres)],
      { timeout: 240_000 },
    );
    assert.equal(status, 0, stderr);
  });

  test("initialises its volume and serves queries", async () => {
    await start("db");
    await healthy("db");
    assert.match(await query("SELECT version()"), /^PostgreSQL 15\./);
    await query("CREATE TABLE kept AS SELECT generate_series(1, 20000) AS n");
    await query("CREATE INDEX ON kept (n)");
    assert.equal(await query("SELECT count(*), sum(n) FROM kept"), "20000|200010000");
    assert.equal(await box.ok("exec", "db", "id", "-un"), "postgres");
  });

  test("killed with everything in it, and the daemon, too: it recovers what was committed, and nothing else", async () => {
    const open = "BEGIN; INSERT INTO kept SELECT generate_series(1, 5000); SELECT pg_sleep(1000)";
    await box.ok("exec", "-d", "db", "psql", "-c", open);
    const sleeps = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    await eventually("the transaction is open", async () => (await query(sleeps)) === "1");
    await query("INSERT INTO kept SELECT generate_series(20001, 20100)");
    await box.ok("kill", "-s", "KILL", "db");
    await box.crash();
    assert.equal(await box.ok("wait", "db"), "137");
    await box.ok("start", "db");
    await healthy("db");
    assert.match(await said("db"), /not properly shut down; automatic recovery in progress/);
    assert.equal(await query("SELECT count(*), sum(n) FROM kept"), "20100|202015050");
    assert.equal(await query("SET enable_seqscan = off; SELECT n FROM kept WHERE n = 20100"), "SET\n20100");
  });

  test("a server process that is killed alone: all start anew, the container goes on", async () => {
    const script =
      "for p in /proc/[0-9]*; do ! grep -q '^postgres: checkpointer' $p/cmdline || kill -9 $" + "{p#/proc/}; done";
    await box.ok("exec", "db", "sh", "-c", script);
    await eventually("it has recovered", async () =>
      /all server processes terminated; reinitializing/.test(await said("db")),
    );
    // Its health is looked at by the second: it may not have been seen ill.
    await eventually("it serves again", async () => (await ask("SELECT count(*) FROM kept")).stdout === "20100\n");
    assert.equal(await box.ok("inspect", "-f", "{{.State.Running}} {{.RestartCount}}", "db"), "true 0");
  });

  test("stopped in order it has nothing to recover, in a new container on the same volume", async () => {
    await box.ok("stop", "-t", "30", "db");
    assert.equal(await box.ok("inspect", "-f", "{{.State.ExitCode}}", "db"), "0");
    assert.match(await said("db"), /database system is shut down/);
    await box.ok("rm", "db");
    await start("db");
    await healthy("db");
    assert.doesNotMatch(await said("db"), /recovery|initdb/);
    assert.equal(await query("SELECT count(*) FROM kept"), "20100");
    await box.ok("rm", "-f", "db");
    await box.ok("volume", "rm", "data");
  });
});
