import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { before, suite, test } from "node:test";
import { settled } from "../support/endurance/kills.ts";
import { memoryAtRest } from "../support/endurance/memory.ts";
import { parameter } from "../support/endurance/random.ts";
import { busybox, dockerArchive } from "../support/images.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });
const starts = parameter("SAMPAN_ENDURANCE_STARTS", 300);

/** What the daemon holds. Memory in kB, at rest. */
async function held(): Promise<{ memory: number; descriptors: number; mounts: number }> {
  const memory = await memoryAtRest(box.pid);
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n").length;
  return { memory, descriptors: readdirSync(`/proc/${box.pid}/fd`).length, mounts };
}

async function done(method: string, path: string, body?: unknown): Promise<unknown> {
  const { status, text, json } = await box.api(method, path, body);
  assert.ok(status < 300, `${method} ${path}: ${status} ${text}`);
  return json;
}

suite("containers started and stopped without end", { ...requires("busybox"), ...requiresRoot() }, () => {
  before(async () => {
    const { status, stderr } = await box.run(["load"], { input: await dockerArchive(await busybox(), ["busybox"]) });
    assert.equal(status, 0, stderr);
  });

  async function once(index: number): Promise<void> {
    const config = {
      Image: "busybox",
      Cmd: ["sh", "-c", "echo line; exec sleep 1000"],
      HostConfig: { NetworkMode: "none" },
    };
    const { Id: id } = (await done("POST", "/containers/create", config)) as { Id: string };
    await done("POST", `/containers/${id}/start`);
    await done("POST", `/containers/${id}/${index % 2 === 0 ? "kill" : "stop?t=0"}`);
    const { StatusCode: code } = (await done("POST", `/containers/${id}/wait`)) as { StatusCode: number };
    assert.equal(code, 137);
    await done("DELETE", `/containers/${id}`);
  }

  async function many(count: number): Promise<void> {
    let next = 0;
    const work = async () => {
      while (next < count) await once(next++);
    };
    await Promise.all([work(), work(), work(), work()]);
    await settled(box, "", 60_000);
  }

  test("the daemon's memory, descriptors, files, mounts and cgroups do not grow", async (context) => {
    await many(Math.max(150, starts / 10));
    const before = await held();
    const began = Date.now();
    await many(starts);
    const seconds = (Date.now() - began) / 1000;
    const after = await held();
    context.diagnostic(`${starts} starts in ${seconds} s: ${JSON.stringify(before)} then ${JSON.stringify(after)}`);
    assert.ok(after.descriptors <= before.descriptors + 4, "descriptors");
    assert.equal(after.mounts, before.mounts, "mounts");
    assert.ok(after.memory < before.memory + 6000 + starts / 4, `memory: ${before.memory} kB, then ${after.memory} kB`);
  });

  test("one container that is started again and again leaves as little", async () => {
    const id = await box.ok("create", "--network", "none", "busybox", "true");
    for (let index = 0; index < Math.min(starts, 1000); index++) {
      await done("POST", `/containers/${id}/start`);
      await done("POST", `/containers/${id}/wait`);
    }
    await settled(box, "", 60_000);
    await box.ok("rm", id);
  });
});
