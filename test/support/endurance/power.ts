import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { tar } from "../images.ts";
import { patience } from "../requires.ts";
import type { Sandbox } from "../sandbox.ts";
import { Actor } from "./actor.ts";
import type { Disk } from "./disk.ts";
import { settled } from "./kills.ts";
import { Random } from "./random.ts";

/**
 * So many rounds: several users work at once, and the power is lost at a moment nobody knows. What was on the disk before is
 * as it was; of what came later any part may be missing, but all that is there is whole and can be used. The daemon runs,
 * and has a "busybox" image.
 */
export async function powerRounds(
  box: Sandbox,
  disk: Disk,
  { rounds, seed }: { rounds: number; seed: number },
): Promise<void> {
  const random = new Random(seed);
  const actors = Array.from({ length: 3 }, (_, index) => new Actor(`user${index}`, box, new Random(seed * 31 + index)));
  await keepSomething(box);
  await disk.sync();
  for (let round = 0; round < rounds; round++) {
    try {
      await powerRound(box, disk, actors, random);
    } catch (error) {
      throw new Error(`round ${round} of seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
}

async function powerRound(box: Sandbox, disk: Disk, actors: readonly Actor[], random: Random): Promise<void> {
  const stop = new AbortController();
  const working = Promise.all(actors.map((actor) => actor.work(stop.signal)));
  working.catch(() => {});
  await delay(random.below(1500) * patience);
  // Some other program of the machine wants its own files on the disk.
  if (random.below(2) === 0) await disk.sync();
  await delay(random.below(1500) * patience);
  await disk.losePower();
  stop.abort();
  await working;
  await disk.mount(random.pick([1, 1, 5]));
  await box.start();
  await settled(box, disk.prefix);
  for (const actor of actors) await actor.lookAround();
  await everyImageRuns(box);
  await keptAll(box);
  await settled(box, disk.prefix);
}

/**
 * The order that only quiet machines show: a removal's names are in the file system's journal, which is written every second,
 * and its change of the database is not on the disk yet. Then the power is lost.
 */
export async function lossAfterRemovals(box: Sandbox, disk: Disk): Promise<void> {
  const archive = await tar([{ name: "file", body: "x".repeat(100_000) }]);
  const imported = await box.api("POST", "/images/create?fromSrc=-&repo=doomed", archive);
  assert.equal(imported.status, 200, imported.text);
  await box.ok("run", "--name", "changed", "busybox", "sh", "-c", "echo line; mkdir /new; echo more > /new/file");
  await box.ok("run", "--name", "unchanged", "busybox", "echo", "line");
  await box.ok("run", "--name", "on-host", "sampan/host", "echo", "line");
  await box.ok("run", "--name", "filler", "-v", "doomed:/volume", "busybox", "touch", "/volume/file");
  await box.ok("rm", "filler");
  await disk.sync();
  await box.ok("rm", "changed", "unchanged", "on-host");
  await box.ok("rmi", "doomed");
  await box.ok("volume", "rm", "doomed");
  await delay(2500);
  await disk.losePower();
  await disk.mount(1);
  await box.start();
  await settled(box, disk.prefix);
  await everyImageRuns(box);
  for (const name of (await box.ok("ps", "-a", "--format", "{{.Names}}")).split("\n").filter((name) => name !== "")) {
    assert.equal(await box.ok("logs", name), "line", name);
    await box.ok("start", name);
  }
  const { status } = await box.run(["run", "--rm", "-v", "doomed:/volume", "busybox", "ls", "/volume"]);
  assert.equal(status, 0, "the volume's name can be used");
  await box.clear();
  await box.ok("volume", "rm", "doomed");
  await settled(box, disk.prefix);
}

const kept = { name: "kept", text: "this was on the disk" };

/** A container with a file and a volume with one. */
async function keepSomething(box: Sandbox): Promise<void> {
  await box.ok("create", "--name", kept.name, "-v", "kept:/volume", "busybox", "cat", "/file", "/volume/file");
  const archive = await tar([{ name: "file", body: kept.text }]);
  for (const path of ["/", "/volume"]) {
    const { status, text } = await box.api("PUT", `/containers/${kept.name}/archive?path=${path}`, archive);
    assert.equal(status, 200, text);
  }
}

async function keptAll(box: Sandbox): Promise<void> {
  assert.equal(await box.ok("start", "-a", kept.name), kept.text.repeat(2));
}

async function everyImageRuns(box: Sandbox): Promise<void> {
  const images = (await box.api("GET", "/images/json")).json as { Id: string; RepoTags: string[] }[];
  for (const { Id: id, RepoTags: names } of images) {
    if (names.includes("sampan/host:latest")) continue;
    const made = await box.api("POST", "/containers/create", {
      Image: id,
      Cmd: ["true"],
      HostConfig: { NetworkMode: "none" },
    });
    assert.equal(made.status, 201, made.text);
    const { Id: container } = made.json as { Id: string };
    const started = await box.api("POST", `/containers/${container}/start`);
    // An image that was imported has no program.
    if (started.status !== 204) assert.match(started.text, /executable file not found/, `${names}`);
    await box.api("DELETE", `/containers/${container}?force=1`);
  }
}
