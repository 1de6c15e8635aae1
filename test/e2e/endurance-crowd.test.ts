import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { settled } from "../support/endurance/kills.ts";
import { memoryAtRest, memoryOf } from "../support/endurance/memory.ts";
import { parameter } from "../support/endurance/random.ts";
import { busybox, dockerArchive } from "../support/images.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";
import { monitorsOf } from "../support/victims.ts";

const box = sandbox({ start: true });
const crowd = parameter("SAMPAN_ENDURANCE_CROWD", 100);

/** DESIGN.md: what the daemon may need for a container that runs, and what a monitor may, in kB. */
const budget = { daemon: 30, monitor: 100 };

suite("many containers at once", { ...requires("busybox"), ...requiresRoot() }, () => {
  before(async () => {
    const { status, stderr } = await box.run(["load"], { input: await dockerArchive(await busybox(), ["busybox"]) });
    assert.equal(status, 0, stderr);
  });

  async function each(count: number, width: number, work: (index: number) => Promise<void>): Promise<number> {
    const began = Date.now();
    let next = 0;
    const worker = async () => {
      while (next < count) await work(next++);
    };
    await Promise.all(Array.from({ length: width }, worker));
    return Date.now() - began;
  }

  async function request(method: string, path: string, body?: unknown): Promise<unknown> {
    const { status, text, json } = await box.api(method, path, body);
    assert.ok(status < 300, `${method} ${path}: ${status} ${text}`);
    return json;
  }

  test("all run, are listed, counted, survive the daemon and are stopped", async (context) => {
    const report: Record<string, number> = {};
    const config = { Image: "busybox", Cmd: ["sleep", "100000"], HostConfig: { NetworkMode: "none" } };
    // The daemon has loaded everything it needs.
    await each(20, 4, async (index) => {
      await request("POST", `/containers/create?name=first${index}`, config);
      await request("POST", `/containers/first${index}/start`);
      await request("DELETE", `/containers/first${index}?force=1`);
    });
    const before = await memoryAtRest(box.pid);
    report.startMs = await each(crowd, 8, async (index) => {
      await request("POST", `/containers/create?name=one${index}`, config);
      await request("POST", `/containers/one${index}/start`);
    });
    report.daemonKB = await memoryAtRest(box.pid);
    report.daemonKBEach = (report.daemonKB - before) / crowd;
    const monitors = [...monitorsOf(box.layout).values()];
    assert.equal(monitors.length, crowd);
    report.monitorKB = monitors.reduce((sum, pid) => sum + memoryOf(pid), 0) / crowd;
    const beganList = Date.now();
    assert.equal(((await request("GET", "/containers/json")) as unknown[]).length, crowd);
    report.listMs = Date.now() - beganList;
    report.statsMs = await each(crowd, 16, async (index) => {
      const stats = (await request("GET", `/containers/one${index}/stats?stream=0&one-shot=1`)) as {
        pids_stats: { current: number };
      };
      assert.equal(stats.pids_stats.current, 1);
    });
    const beganAgain = Date.now();
    await box.crash();
    report.crashMs = Date.now() - beganAgain;
    // One that has found them running.
    report.heirKBEach = ((await memoryAtRest(box.pid)) - before) / crowd;
    assert.equal(((await request("GET", "/containers/json")) as unknown[]).length, crowd);
    await settled(box, "", 60_000);
    report.stopMs = await each(
      crowd,
      16,
      async (index) => void (await request("POST", `/containers/one${index}/stop?t=0`)),
    );
    report.removeMs = await each(crowd, 16, async (index) => void (await request("DELETE", `/containers/one${index}`)));
    await settled(box, "", 60_000);
    context.diagnostic(`${crowd} containers: ${JSON.stringify(report)}`);
    // A hundred are too few to tell them from what V8 has not given back.
    if (crowd >= 500) {
      assert.ok(report.daemonKBEach <= budget.daemon, `${report.daemonKBEach} kB of the daemon's for each`);
      assert.ok(report.heirKBEach <= budget.daemon, `${report.heirKBEach} kB of its successor's for each`);
    }
    assert.ok(report.monitorKB <= budget.monitor, `${report.monitorKB} kB for a monitor`);
  });
});
