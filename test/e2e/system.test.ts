import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { docker, dockerEnv } from "../support/docker.ts";
import { busybox } from "../support/images.ts";
import { runProgram } from "../support/process.ts";
import { requires } from "../support/requires.ts";
import { sampan, sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });

before(async () => {
  await box.load(await busybox(), "busybox");
});

const run = (...args: string[]) => box.ok("run", "--network", "none", ...args);

/** Bytes of the files below a directory, as `du` sees them. */
function bytesBelow(directory: string): number {
  const sizes = execFileSync("sh", ["-c", `find ${directory} -type f -printf '%s\\n'`], { encoding: "utf8" });
  return sizes.split("\n").reduce((sum, size) => sum + Number(size), 0);
}

test("system df agrees with du", async () => {
  await run("--name", "fat", "-v", "fatvol:/v", "busybox", "sh", "-c", "head -c 100000 /dev/zero >/big; echo hi >/v/x");
  const { status, json } = await box.api("GET", "/system/df");
  assert.equal(status, 200);
  const usage = json as {
    LayersSize: number;
    Images: { Size: number; SharedSize: number; Containers: number }[];
    Containers: { SizeRw: number; Names: string[] }[];
    Volumes: { Name: string; UsageData: { Size: number; RefCount: number } }[];
    BuildCache: unknown[];
  };
  assert.equal(usage.LayersSize, bytesBelow(`${box.layout.layers}/????????????????????????????????*/`));
  assert.deepEqual(
    usage.Images.map(({ SharedSize, Containers }) => ({ SharedSize, Containers })),
    [{ SharedSize: 0, Containers: 1 }],
  );
  assert.equal(usage.Containers[0]?.SizeRw, bytesBelow(`${box.layout.containers}/*/upper`));
  assert.deepEqual(usage.Volumes.find(({ Name }) => Name === "fatvol")?.UsageData, { Size: 3, RefCount: 1 });
  assert.deepEqual(usage.BuildCache, []);
  const some = (await box.api("GET", "/system/df?type=volume")).json as typeof usage;
  assert.deepEqual(
    { ...some, Volumes: [] },
    { LayersSize: 0, Images: null, Containers: null, Volumes: [], BuildCache: null },
  );
  const summed = (await box.api("GET", "/system/df?verbose=0")).json as Record<string, Record<string, number>>;
  assert.deepEqual(summed.ContainerUsage, { ActiveCount: 0, TotalCount: 1, Reclaimable: 100000, TotalSize: 100000 });
  assert.equal((await box.api("GET", "/system/df?type=foo")).status, 400);
  assert.match(await box.ok("system", "df"), /^Containers +1 +0 +100kB +100kB \(100%\)$/m);
  assert.match(await box.ok("system", "df", "-v"), /^fatvol +1 +3B$/m);
  await box.ok("rm", "fat");
});

test("docker's own df, info, events and prune are content", requires("docker"), async () => {
  await run("--name", "gone", "busybox", "true");
  const df = await docker(box, ["system", "df"]);
  assert.match(df.stdout, /^Images +1 +1 /m, df.stderr);
  assert.match((await docker(box, ["system", "df", "-v"])).stdout, /Containers space usage/);
  assert.equal((await docker(box, ["info"])).status, 0);
  const since = Math.floor(Date.now() / 1000) - 1;
  const pruned = await docker(box, ["container", "prune", "-f"]);
  assert.match(pruned.stdout, /^Deleted Containers:\n[0-9a-f]{64}\n\nTotal reclaimed space: 0B\n$/);
  const events = await docker(box, [
    "events",
    "--since",
    String(since),
    "--until",
    String(since + 3),
    "--format",
    "{{.Type}} {{.Action}} {{json .Actor.Attributes}}",
  ]);
  assert.match(events.stdout, /^container destroy .*\ncontainer prune \{"reclaimed":"0"\}$/m, events.stderr);
});

test("prune, container by container and all at once", async () => {
  await run("--name", "old", "--label", "keep=1", "busybox", "true");
  await run("--name", "older", "busybox", "true");
  assert.match(
    await box.ok("container", "prune", "-f", "--filter", "label!=keep"),
    /^Deleted Containers:\n[0-9a-f]{64}\n\n/,
  );
  assert.equal(await box.ok("ps", "-a", "--format", "{{.Names}}"), "old");
  assert.equal(await box.ok("image", "prune", "-f"), "Total reclaimed space: 0B");
  const refused = await box.run(["system", "prune"], { input: "n\n" });
  assert.match(refused.stdout, /^WARNING! This will remove:\n {2}- all stopped containers\n {2}- all networks/);
  assert.equal(await box.ok("ps", "-a", "--format", "{{.Names}}"), "old");
  assert.match(await box.ok("system", "prune", "-f"), /^Deleted Containers:\n[0-9a-f]{64}\n\nTotal reclaimed space: /);
  assert.equal(await box.ok("ps", "-aq"), "");
});

test("events: replay, filters, an end", async () => {
  const since = String(Date.now() / 1000);
  await run("--rm", "--name", "told", "--label", "a=b", "busybox", "true");
  const until = String(Date.now() / 1000 + 0.5);
  const format = "{{.Type}} {{.Action}} {{.Actor.Attributes.name}}";
  const seen = await box.ok(
    "events",
    "--since",
    since,
    "--until",
    until,
    "--filter",
    "container=told",
    "--format",
    format,
  );
  const actions = seen.split("\n").map((line) => line.split(" ")[1]);
  assert.deepEqual(actions, ["create", "attach", "start", "die", "destroy"]);
  const filtered = ["--filter", "event=die", "--filter", "label=a=b", "--filter", "image=busybox"];
  const lines = await box.ok("events", "--since", since, "--until", until, ...filtered);
  assert.match(
    lines,
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}\S+ container die [0-9a-f]{64} \(a=b, execDuration=0, exitCode=0, image=busybox, name=told\)$/,
  );
  assert.equal((await box.api("GET", "/events?since=5&until=3")).status, 400);
});

test("metrics count what was done", async () => {
  await run("--rm", "busybox", "true");
  const { status, text, headers } = await box.api("GET", "/metrics");
  assert.equal(status, 200);
  assert.match(String(headers["content-type"]), /^text\/plain; version=0\.0\.4/);
  assert.match(text, /^engine_daemon_container_states_containers\{state="running"\} 0$/m);
  assert.match(text, /^engine_daemon_container_actions_seconds_count\{action="start"\} [1-9]/m);
  assert.match(text, /^engine_daemon_container_actions_seconds_bucket\{action="create",le="\+Inf"\} [1-9]/m);
  assert.match(text, /^process_resident_memory_bytes \d{7,}$/m);
  for (const line of text.trimEnd().split("\n")) {
    assert.match(line, /^(# (HELP|TYPE) \w+ .+|\w+(\{(\w+="[^"]*",?)+\})? [-+0-9.e]+)$/);
  }
});

test("a secret is a file in memory, and nowhere else", async () => {
  const value = "s3cr3t-value-nobody-else-has";
  const created = await box.run(["secret", "create", "-l", "k=v", "key"], { input: value });
  assert.equal(created.status, 0, created.stderr);
  assert.match(created.stdout, /^[0-9a-z]{25}\n$/);
  const directory = join(box.layout.root, "secrets");
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  assert.equal(statSync(join(directory, created.stdout.trim())).mode & 0o777, 0o600);
  assert.match(await box.ok("secret", "ls"), /key/);
  const shown = await box.ok("secret", "inspect", "key");
  assert.doesNotMatch(shown, /Data|s3cr3t/);
  const script =
    "cat /run/secrets/key; echo; stat -c '%a %u' /run/secrets/key /x; grep -c ' /run/secrets ' /proc/mounts";
  const secrets = ["--secret", "key", "--secret", "key,target=/x,mode=0400,uid=7"];
  assert.equal(await run("--name", "knows", ...secrets, "busybox", "sh", "-c", script), `${value}\n444 0\n400 7\n1`);
  for (const said of [
    await box.ok("inspect", "knows"),
    await box.ok("run", "--explain", ...secrets, "busybox", "true"),
  ]) {
    assert.doesNotMatch(said, /s3cr3t/);
  }
  assert.doesNotMatch(readFileSync(box.layout.stateDb, "latin1"), /s3cr3t/);
  await box.fails({ status: 1, stderr: /in use by the following container: knows/ }, "secret", "rm", "key");
  await box.ok("rm", "knows");
  await box.ok("secret", "rm", "key");
  await box.fails({ status: 125, stderr: /secret not found: key/ }, "run", "--secret", "key", "busybox", "true");
  assert.equal((await box.run(["secret", "create", "bad name"], { input: "x" })).status, 1);
});

test("stock docker makes and removes secrets", requires("docker"), async () => {
  const made = await docker(box, ["secret", "create", "fromdocker", "-"], { input: "x" });
  assert.equal(made.status, 0, made.stderr);
  assert.match((await docker(box, ["secret", "ls"])).stdout, /fromdocker/);
  assert.equal((await docker(box, ["secret", "rm", "fromdocker"])).status, 0);
});

test("what belongs to swarms and plugins is answered as outside a swarm", async () => {
  for (const noun of ["swarm", "nodes", "services", "tasks", "configs", "services/x", "nodes/x"]) {
    const { status, text } = await box.api("GET", `/${noun}`);
    assert.equal(status, 503, noun);
    assert.match(text, /This node is not a swarm manager\. Use \\"docker swarm init\\"/);
  }
  const left = await box.api("POST", "/swarm/leave");
  assert.deepEqual([left.status, left.json], [503, { message: "This node is not part of a swarm" }]);
  assert.deepEqual((await box.api("GET", "/plugins")).json, []);
  for (const [method, path] of [
    ["GET", "/plugins/x/json"],
    ["DELETE", "/plugins/x"],
    ["POST", "/plugins/x/disable"],
  ] as const) {
    const { status, json } = await box.api(method, path);
    assert.deepEqual([status, json], [404, { message: 'plugin "x" not found' }]);
  }
});

test("ssh:// contexts reach the daemon by dial-stdio", requires("docker"), async () => {
  const bin = join(box.directory, "ssh-bin");
  mkdirSync(bin);
  // What docker runs over there is `docker system dial-stdio`.
  writeFileSync(join(bin, "ssh"), `#!/bin/sh\necho "$@" >>"${bin}/said"\nexec ${sampan} system dial-stdio\n`);
  chmodSync(join(bin, "ssh"), 0o755);
  const env = { ...dockerEnv(box), DOCKER_HOST: "ssh://somebody@somewhere", PATH: `${bin}:${process.env.PATH}` };
  const { status, stdout, stderr } = await runProgram(
    "docker",
    ["run", "--rm", "-i", "--network", "none", "busybox", "cat"],
    {
      env,
      input: "over the wire\n",
    },
  );
  assert.equal(status, 0, stderr);
  assert.equal(stdout, "over the wire\n");
  assert.match(readFileSync(join(bin, "said"), "utf8"), /somewhere.*docker system dial-stdio/);
  assert.ok(existsSync(box.layout.apiSocket));
});
