import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { connect, type Sampan, SampanError } from "../../src/client/index.ts";
import { eventually } from "../support/process.ts";
import { requiresRoot } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const checkout = resolve(import.meta.dirname, "../..");
const image = "sampan/host";
const detached = { network: "none" } as const;
let sampan: Sampan;

after(() => sampan.close()); // before the sandbox looks at what is left

const box = sandbox();

before(async () => {
  await box.start();
  sampan = await connect({ host: `unix://${box.layout.apiSocket}` });
});

/** A process that owns a container, prints its id and waits. */
async function ownerProcess() {
  const program = `
    const { connect } = await import(${JSON.stringify(join(checkout, "src/client/index.ts"))});
    const sampan = await connect({ host: "unix://${box.layout.apiSocket}" });
    const one = await sampan.start("${image}", ["sleep", "1000"], { network: "none", lifetime: "owner" });
    console.log(one.id);
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    env: box.env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(child.stdout, "data");
  return { child, id: String(line).trim() };
}

async function isGone(id: string): Promise<boolean> {
  const containers = await sampan.containers({ all: true });
  return !containers.some((container) => container.Id === id);
}

test("run gives the output and the exit code, and leaves nothing", requiresRoot(), async () => {
  const script = "cat; echo bad >&2; echo $WHO; exit 7";
  const options = { ...detached, input: "in\n", env: { WHO: "me" } };
  const result = await sampan.run(image, ["sh", "-c", script], options);
  assert.deepEqual(result, { stdout: "in\nme\n", stderr: "bad\n", exitCode: 7 });
  assert.deepEqual(await sampan.containers({ all: true }), []);
});

test("input may be large and come in pieces", requiresRoot(), async () => {
  async function* numbers() {
    for (let index = 0; index < 200; index++) yield Buffer.alloc(10_000, index % 10);
  }
  const { stdout } = await sampan.run(image, ["wc", "-c"], { ...detached, input: numbers() });
  assert.equal(stdout.trim(), "2000000");
});

test("a container's log is an async iterable of lines", requiresRoot(), async () => {
  const script = "echo one; echo two >&2; printf three";
  await using container = await sampan.start(image, ["sh", "-c", script], detached);
  assert.equal(await container.wait(), 0);
  const lines = await Array.fromAsync(container.logs());
  assert.deepEqual(
    lines.toSorted((a, b) => a.text.localeCompare(b.text)),
    [
      { stream: "stdout", text: "one" },
      { stream: "stdout", text: "three" },
      { stream: "stderr", text: "two" },
    ],
  );
  const [last] = await Array.fromAsync(container.logs({ tail: 1, stderr: false, timestamps: true }));
  assert.equal(last?.text, "three");
  assert.ok(Math.abs(Number(last?.at) - Date.now()) < 60_000);
});

test("following a log ends with the container, or with its signal", requiresRoot(), async () => {
  await using container = await sampan.start(image, ["sh", "-c", "echo up; exec sleep 1000"], detached);
  const giveUp = new AbortController();
  const seen: string[] = [];
  const reading = async () => {
    for await (const { text } of container.logs({ follow: true, signal: giveUp.signal })) {
      seen.push(text);
      giveUp.abort();
    }
  };
  await assert.rejects(reading(), { name: "AbortError" });
  assert.deepEqual(seen, ["up"]);
});

test("exec runs to the end, spawn has streams", requiresRoot(), async () => {
  await using container = await sampan.start(image, ["sleep", "1000"], detached);
  const result = await container.exec(["sh", "-c", "cat; pwd; exit 3"], { input: "x\n", workdir: "/usr" });
  assert.deepEqual(result, { stdout: "x\n/usr\n", stderr: "", exitCode: 3 });
  const process = await container.spawn(["sh", "-c", "read a; echo got $a; echo err >&2; exit 4"]);
  const writer = process.stdin.getWriter();
  await writer.write(Buffer.from("it\n"));
  await writer.close();
  const [stdout, stderr] = await Promise.all([text(process.stdout), text(process.stderr)]);
  assert.deepEqual([stdout, stderr, await process.exited], ["got it\n", "err\n", 4]);
});

test("who cancels one stream is not held up by it", requiresRoot(), async () => {
  await using container = await sampan.start(image, ["sleep", "1000"], detached);
  const process = await container.spawn(["sh", "-c", "head -c 1000000 /dev/zero >&2; echo done"]);
  await process.stderr.cancel();
  assert.equal(await text(process.stdout), "done\n");
});

test("a container's own streams can be had before it starts", requiresRoot(), async () => {
  await using container = await sampan.create(image, ["cat"], { ...detached, stdin: true });
  const { stdin, stdout, stderr } = await container.attach();
  await container.start();
  const writer = stdin.getWriter();
  await writer.write(Buffer.from("hello"));
  await writer.close();
  assert.equal(await text(stdout), "hello");
  await stderr.cancel();
  assert.equal(await container.wait(), 0);
});

test("files go in and out", requiresRoot(), async () => {
  await using container = await sampan.start(image, ["sleep", "1000"], detached);
  await container.copyTo("/tmp/note.txt", "grüße\n", { mode: 0o600 });
  const seen = await container.exec(["sh", "-c", "stat -c %a /tmp/note.txt; cat /tmp/note.txt"]);
  assert.equal(seen.stdout, "600\ngrüße\n");
  assert.equal(Buffer.from(await container.read("/tmp/note.txt")).toString(), "grüße\n");
  await container.copyTo("/opt", await container.copyFrom("/tmp/note.txt"), { archive: true });
  assert.equal((await container.exec(["cat", "/opt/note.txt"])).stdout, "grüße\n");
  await assert.rejects(container.read("/nowhere"), { kind: "not-found" });
  await assert.rejects(container.read("/tmp"), /it is a directory, not a file/);
});

test("every call takes a signal", requiresRoot(), async () => {
  await using container = await sampan.start(image, ["sleep", "1000"], detached);
  const signal = AbortSignal.timeout(50);
  await assert.rejects(container.wait({ signal }), { name: "TimeoutError" });
  await assert.rejects(container.exec(["sleep", "1000"], { signal: AbortSignal.timeout(50) }), {
    name: "TimeoutError",
  });
  await assert.rejects(container.inspect({ signal: AbortSignal.abort() }), { name: "AbortError" });
  const { State } = await container.inspect();
  assert.equal(State.Status, "running", "only waiting was given up");
});

test("a run that is given up leaves no container", requiresRoot(), async () => {
  const before = (await sampan.containers({ all: true })).length;
  const options = { ...detached, signal: AbortSignal.timeout(300) };
  await assert.rejects(sampan.run(image, ["sleep", "1000"], options), { name: "TimeoutError" });
  assert.equal((await sampan.containers({ all: true })).length, before);
});

test("errors have a kind and dockerd's text", requiresRoot(), async () => {
  await assert.rejects(sampan.container("nobody"), (error) => {
    assert.ok(error instanceof SampanError);
    assert.equal(error.kind, "not-found");
    assert.match(error.message, /^No such container: nobody$/);
    return true;
  });
  await assert.rejects(sampan.run(image, ["no-such-program"], detached), /no-such-program/);
  assert.deepEqual(await sampan.containers({ all: true }), []);
});

test("closing removes what the owner has, and nothing else", requiresRoot(), async () => {
  const mine = await connect({ host: `unix://${box.layout.apiSocket}` });
  const bound = await mine.start(image, ["sleep", "1000"], { ...detached, lifetime: "owner" });
  const created = await mine.create(image, ["true"], { ...detached, lifetime: "owner" });
  const free = await mine.start(image, ["sleep", "1000"], detached);
  await mine.close();
  assert.deepEqual(
    (await sampan.containers({ all: true })).map(({ Id }) => Id),
    [free.id],
  );
  assert.ok(await isGone(bound.id));
  assert.ok(await isGone(created.id));
  await assert.rejects(mine.create(image, [], { lifetime: "owner" }), /this connection is closed/);
  await (await sampan.container(free.id)).remove();
});

test("an owner that is killed takes its containers along", requiresRoot(), async () => {
  const { child, id } = await ownerProcess();
  assert.equal(await isGone(id), false);
  child.kill("SIGKILL");
  await eventually("its container is gone", () => isGone(id), 5000);
});

test("an owner that has nothing else to do ends, and so do its containers", requiresRoot(), async () => {
  const program = `
    const { connect } = await import(${JSON.stringify(join(checkout, "src/client/index.ts"))});
    const sampan = await connect({ host: "unix://${box.layout.apiSocket}" });
    await sampan.start("${image}", ["sleep", "1000"], { network: "none", lifetime: "owner" });
  `;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], { env: box.env, stdio: "inherit" });
  assert.deepEqual(await once(child, "exit"), [0, null]);
  await eventually("its container is gone", async () => (await sampan.containers({ all: true })).length === 0, 5000);
});

test("a daemon that is killed and started again hears from living owners", requiresRoot(), async () => {
  const { child, id } = await ownerProcess();
  await box.crash();
  await setTimeout(12_000);
  assert.equal(await isGone(id), false, "its owner has come back in time");
  child.kill("SIGKILL");
  await eventually("its container is gone", () => isGone(id), 5000);
});

test(
  "an owner that is killed while no daemon runs takes its containers along when one does",
  requiresRoot(),
  async () => {
    const { child, id } = await ownerProcess();
    await box.stop("SIGKILL");
    child.kill("SIGKILL");
    await once(child, "exit");
    await box.start();
    assert.equal(await isGone(id), false, "the daemon waits: its owner might be back in a moment");
    await eventually("its container is gone", () => isGone(id), 15_000);
  },
);
