import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Cgroups, openCgroups } from "../../src/cgroups/index.ts";
import { SampanError } from "../../src/errors/index.ts";
import { defaultDeviceRules } from "../../src/kernel/devices.ts";
import { layoutOf } from "../../src/storage/layout.ts";
import { Cage } from "../support/caged.ts";
import { leftovers } from "../support/leaks.ts";
import { eventually } from "../support/process.ts";
import { patience, requiresRoot } from "../support/requires.ts";
import { removeTree } from "../support/sandbox.ts";

const MiB = 1024 * 1024;
const busy = "while :; do :; done";

describe("cgroups of this machine", requiresRoot(), () => {
  const directory = mkdtempSync(join(tmpdir(), "sampan-"));
  const layout = layoutOf({ root: join(directory, "root"), run: join(directory, "run") });
  let cgroups: Cgroups;
  let cage: Cage;

  before(() => {
    cgroups = openCgroups({ name: `sampan${layout.suffix}` });
    cage = new Cage(cgroups, directory);
  });

  after(async () => {
    await cgroups.kill(cgroups.parent); // what a failed test has left
    cgroups.sweep(new Set());
    await cage.close();
    await eventually("nothing is left", () => leftovers(layout).length === 0, 3000).catch(() => {});
    assert.deepEqual(leftovers(layout), []);
    await removeTree(directory);
  });

  const isUnsupported = (pattern: RegExp) => (error: unknown) =>
    error instanceof SampanError && error.kind === "unsupported" && pattern.test(error.message);

  test("without limits a process runs in its cgroup and nothing stays behind", async () => {
    const { status, oomKills, output } = await cage.run("cat /proc/self/cgroup", {});
    assert.equal(status, 0, output);
    assert.equal(oomKills, 0);
    const lines = output.split("\n").filter((line) => line.includes(cgroups.parent));
    assert.equal(lines.length, cgroups.layout.hierarchies.length, output);
  });

  test("a container above 64 MiB is killed and says why", async () => {
    const hog = "head -c 110000000 /dev/zero | tail -c 90000000 > /dev/null";
    const swap = cgroups.support.swap ? { swap: 64 * MiB } : {};
    const limited = await cage.run(hog, { memory: { limit: 64 * MiB, ...swap } });
    assert.equal(limited.status, 137, limited.output);
    assert.equal(limited.oomKills, 1);
    const free = await cage.run(hog, { memory: { limit: 512 * MiB } });
    assert.deepEqual([free.status, free.oomKills], [0, 0], free.output);
  });

  test("half a CPU is half a CPU", async () => {
    const caged = await cage.start(busy, { cpu: { quota: 50_000, period: 100_000 } });
    await sleep(300);
    const [from, begin] = [cgroups.usage(caged.path).cpu, performance.now()];
    await sleep(1500);
    const [to, end] = [cgroups.usage(caged.path).cpu, performance.now()];
    await cgroups.kill(caged.path);
    assert.equal((await caged.ended()).status, 137);
    assert.ok(from && to);
    const share = (to.total - from.total) / 1e6 / (end - begin);
    assert.ok(share > 0.35 && share < 0.6, `it had ${share} of a CPU`);
    assert.ok(to.throttledPeriods > from.throttledPeriods && to.throttledTime > from.throttledTime);
  });

  test("ten processes stop a fork bomb", async () => {
    const bomb = "i=0; while [ $i -lt 30 ]; do sleep 60 & i=$((i+1)); done; echo all";
    const caged = await cage.start(bomb, { pids: { limit: 10 } });
    await eventually("the shell cannot fork", () => /fork/i.test(caged.output()));
    assert.doesNotMatch(caged.output(), /all/);
    await eventually("the shell has given up", () => cgroups.pids(caged.path).length === 9);
    const { pids } = cgroups.usage(caged.path);
    // the shell counts until it has been waited for
    assert.ok(pids?.limit === 10 && pids.current >= 9 && pids.current <= 10, JSON.stringify(pids));
    await cgroups.kill(caged.path);
    await caged.ended();
    await cgroups.removeNow(caged.path);
    assert.deepEqual(cgroups.pids(caged.path), []);
  });

  test("killing gets those that keep forking", async () => {
    const forks = "for i in 1 2 3 4 5 6; do while :; do (:); done & done; sleep 60";
    const caged = await cage.start(forks, { pids: { limit: 100 } });
    await eventually("all are there", () => cgroups.pids(caged.path).length > 8);
    await cgroups.kill(caged.path);
    assert.equal((await caged.ended()).status, 137);
    await cgroups.removeNow(caged.path);
  });

  test("a frozen container stands still and goes on", async () => {
    const caged = await cage.start(busy, {});
    const total = () => cgroups.usage(caged.path).cpu?.total ?? 0;
    await eventually("it runs", () => total() > 0);
    await cgroups.freeze(caged.path);
    assert.equal(cgroups.frozen(caged.path), true);
    const before = total();
    await sleep(200);
    assert.ok(total() - before < 5e6, `it used ${total() - before} ns while frozen`);
    await cgroups.thaw(caged.path);
    assert.equal(cgroups.frozen(caged.path), false);
    await eventually("it runs again", () => total() - before > 20e6);
    await cgroups.kill(caged.path);
    await caged.ended();
  });

  test("devices are Docker's: any node can be made, few can be opened", async () => {
    const script = `cd ${directory} && mknod null c 1 3 && mknod kmsg c 1 11 && mknod loop b 7 0; rm -f null loop kmsg
      : > /dev/null && head -c 1 /dev/zero | wc -c
      (exec 3< /dev/kmsg) && echo kmsg`;
    const denied = await cage.run(script, { devices: defaultDeviceRules });
    assert.match(denied.output, /^1\n/);
    assert.match(denied.output, /kmsg: Operation not permitted/);
    const kmsg = { allow: true, type: "c", major: 1, minor: 11, access: "r" } as const;
    const allowed = await cage.run(script, { devices: [...defaultDeviceRules, kmsg] });
    assert.equal(allowed.output, "1\nkmsg\n");
    const writing = await cage.run("exec 3> /dev/kmsg", { devices: [...defaultDeviceRules, kmsg] });
    assert.match(writing.output, /kmsg: Operation not permitted/);
    const everything = await cage.run(script, { devices: [{ allow: true, type: "a", access: "rwm" }] });
    assert.equal(everything.output, "1\nkmsg\n");
  });

  test("a CPU set binds to its CPUs, without one all are there", async () => {
    const show = "grep Cpus_allowed_list /proc/self/status";
    const bound = await cage.run(show, { cpu: { cpus: "0", mems: "0" } });
    assert.match(bound.output, /:\s+0$/m);
    const all = /Cpus_allowed_list:\s+(\S+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    assert.match((await cage.run(show, {})).output, new RegExp(`:\\s+${all}$`, "m"));
  });

  test("what is used is counted", async () => {
    const script = "head -c 20000000 /dev/zero | tail -c 19000000 | (sleep 60; cat)";
    const caged = await cage.start(script, { memory: { limit: 256 * MiB }, pids: { limit: 50 } });
    await eventually("tail has it", () => (cgroups.usage(caged.path).memory?.usage ?? 0) > 18e6);
    const { memory, cpu, pids, blockIO } = cgroups.usage(caged.path);
    assert.ok(memory && cpu && pids);
    assert.ok(memory.usage < 80e6 && (memory.maxUsage ?? memory.usage) >= memory.usage, JSON.stringify(memory));
    assert.equal(memory.limit, 256 * MiB);
    assert.ok((memory.stats.inactive_file ?? -1) >= 0);
    assert.ok(cpu.total > 1e6 && cpu.total < 60e9 * patience);
    assert.ok(cpu.user + cpu.system > 0 && cpu.user + cpu.system < 2 * cpu.total);
    assert.equal(pids.limit, 50);
    assert.ok(pids.current >= 3);
    assert.ok(Array.isArray(blockIO));
    await cgroups.kill(caged.path);
    await caged.ended();
    await cgroups.removeNow(caged.path);
    assert.throws(() => cgroups.usage(caged.path), { name: "SampanError", kind: "not-found" });
  });

  test("limits of a living container are raised and lowered", async () => {
    const caged = await cage.start("exec sleep 60", { memory: { limit: 64 * MiB } });
    const limit = () => cgroups.usage(caged.path).memory?.limit;
    const { swap } = cgroups.support;
    for (const size of [256 * MiB, 32 * MiB, 128 * MiB]) {
      cgroups.update(caged.path, { memory: { limit: size, ...(swap && { swap: 2 * size }) } });
      assert.equal(limit(), size);
    }
    cgroups.update(caged.path, { memory: { limit: -1 }, pids: { limit: 5 }, cpu: { quota: 20_000, shares: 512 } });
    assert.equal(limit(), undefined);
    assert.equal(cgroups.usage(caged.path).pids?.limit, 5);
    cgroups.update(caged.path, { pids: { limit: -1 }, cpu: { period: 50_000 } });
    assert.equal(cgroups.usage(caged.path).pids?.limit, undefined);
    assert.throws(() => cgroups.update(caged.path, { cpu: { cpus: "900-1000" } }), { kind: "invalid" });
    await cgroups.kill(caged.path);
    await caged.ended();
  });

  test("another process joins a running container", async () => {
    const caged = await cage.start("exec sleep 60", {});
    assert.equal(await caged.exec(`grep -q ${caged.path} /proc/self/cgroup`), 0);
    await cgroups.kill(caged.path);
    await caged.ended();
  });

  test("processes of exec follow an init that has arranged cgroups of its own", async (t) => {
    if (cgroups.version === "v1") return t.diagnostic("v1 lets processes be anywhere");
    const caged = await cage.start("exec sleep 60", {});
    const own = `${cgroups.layout.hierarchies[0]?.mountPoint}${caged.path}`;
    mkdirSync(`${own}/init.scope`);
    await eventually("it has arranged itself", () => {
      for (const pid of cgroups.pids(caged.path)) writeFileSync(`${own}/init.scope/cgroup.procs`, String(pid));
      return readFileSync(`${own}/cgroup.procs`, "utf8") === "";
    });
    writeFileSync(`${own}/cgroup.subtree_control`, "+memory +pids");
    assert.equal(await caged.exec("grep -q init.scope /proc/self/cgroup"), 0);
    await cgroups.kill(caged.path);
    await caged.ended();
    await cgroups.removeNow(caged.path);
  });

  test("leftovers of a crash are swept, the living and the kept stay", async () => {
    const living = await cage.start("exec sleep 60", {});
    const [left, kept] = [cgroups.pathOf("left"), cgroups.pathOf("kept")];
    await cage.execute((p) => {
      cgroups.create(p, left, { memory: { limit: 64 * MiB } });
      cgroups.create(p, kept, {});
    });
    for (const { mountPoint } of cgroups.layout.hierarchies) mkdirSync(`${mountPoint}${left}/own`);
    assert.deepEqual(cgroups.sweep(new Set([kept])), [left]);
    assert.equal(cgroups.usage(living.path).pids?.current, 1);
    assert.ok(cgroups.usage(kept));
    await cgroups.removeNow(kept);
    await assert.rejects(cgroups.removeNow(living.path), { kind: "conflict" });
    await cgroups.kill(living.path);
    await living.ended();
  });

  test("a parent of the user's is made with all that it needs", async () => {
    const parent = `${cgroups.parent}/group/of mine`;
    const path = cgroups.pathOf("x", parent);
    await cage.execute((p) => cgroups.create(p, path, { memory: { limit: 64 * MiB }, cpu: { cpus: "0" } }));
    assert.equal(cgroups.usage(path).memory?.limit, 64 * MiB);
    for (const gone of [path, parent, `${cgroups.parent}/group`]) await cgroups.removeNow(gone);
    assert.throws(() => cgroups.pathOf("x", "/a/../b"), { kind: "invalid" });
  });

  test("a cgroup that exists is not taken over", async () => {
    const path = cgroups.pathOf("twice");
    const make = () => cage.execute((p) => cgroups.create(p, path, {}));
    await make();
    await assert.rejects(make(), /EEXIST/);
    await cgroups.removeNow(path);
    await make();
    await cgroups.removeNow(path);
  });

  test("a limit that this machine does not have is refused, with the remedy", async () => {
    const create = (resources: Parameters<Cgroups["create"]>[2]) => () =>
      cage.execute((p) => cgroups.create(p, cgroups.pathOf("refused"), resources));
    await assert.rejects(create({ cpu: { realtimeRuntime: 1000 } }), isUnsupported(/controller cpu/));
    if (cgroups.version === "v1") {
      await assert.rejects(create({ unified: { "memory.high": "1" } }), isUnsupported(/cgroup v1/));
    } else {
      await assert.rejects(create({ memory: { swappiness: 10 } }), isUnsupported(/vm\.swappiness/));
      await assert.rejects(create({ memory: { disableOOMKiller: true } }), isUnsupported(/controller memory/));
      await assert.rejects(create({ unified: { "misc.nothing": "1" } }), isUnsupported(/controller misc/));
    }
    if (!cgroups.support.blkioWeight) {
      await assert.rejects(create({ blockIO: { weight: 100 } }), isUnsupported(/bfq/));
    }
    assert.throws(() => cgroups.usage(cgroups.pathOf("refused")), { kind: "not-found" });
  });
});
