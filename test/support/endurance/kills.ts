import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { patience } from "../requires.ts";
import type { Sandbox } from "../sandbox.ts";
import { executorOf, killNow, monitorsOf } from "../victims.ts";
import { Actor } from "./actor.ts";
import { inconsistencies } from "./consistency.ts";
import { Random } from "./random.ts";

type Victim = "daemon" | "executor" | "monitor" | "all of them";

/** Of ten rounds so many each. */
const victims: readonly Victim[] = [
  ...(["daemon", "daemon", "daemon", "daemon", "daemon"] as const),
  ...(["executor", "executor", "monitor", "monitor", "all of them"] as const),
];

/** What a run of `killRounds` has seen. */
export interface KillReport {
  readonly rounds: number;
  readonly kills: Readonly<Record<string, number>>;
  readonly operations: Readonly<Record<string, number>>;
}

/**
 * So many rounds: several users work at once, something is killed at a moment nobody knows, and afterwards everything that
 * was promised is there, and nothing else is. The daemon has a "busybox" image.
 */
export async function killRounds(
  box: Sandbox,
  { rounds, seed, users = 4 }: { rounds: number; seed: number; users?: number },
): Promise<KillReport> {
  const random = new Random(seed);
  const actors = Array.from(
    { length: users },
    (_, index) => new Actor(`user${index}`, box, new Random(seed * 31 + index)),
  );
  const kills: Record<string, number> = {};
  for (let round = 0; round < rounds; round++) {
    const victim = random.pick(victims);
    kills[victim] = (kills[victim] ?? 0) + 1;
    try {
      await killRound(box, actors, victim, random);
    } catch (error) {
      throw new Error(`round ${round} of seed ${seed}, victim ${victim}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
  await tidy(box, users);
  const operations: Record<string, number> = {};
  for (const { done } of actors) for (const [name, count] of done) operations[name] = (operations[name] ?? 0) + count;
  return { rounds, kills, operations };
}

async function killRound(box: Sandbox, actors: readonly Actor[], victim: Victim, random: Random): Promise<void> {
  const stop = new AbortController();
  const working = Promise.all(actors.map((actor) => actor.work(stop.signal)));
  // The actors' own failures are looked at below.
  working.catch(() => {});
  await delay(random.below(400) * patience);
  await kill(box, actors, victim, random);
  await delay(random.below(60) * patience);
  stop.abort();
  await working;
  if (box.pid === undefined) await box.start();
  for (const actor of actors) await actor.verify();
  for (const actor of actors) actor.monitorKilled = false;
  const surprises = actors.flatMap((actor) => actor.surprises.splice(0));
  // Who asks for something while its helper dies is told so.
  if (victim === "daemon") assert.deepEqual(surprises, [], "no request fails but for the kill");
  await settled(box);
}

async function kill(box: Sandbox, actors: readonly Actor[], victim: Victim, random: Random): Promise<void> {
  if (victim === "monitor" || victim === "all of them") {
    const monitors = [...monitorsOf(box.layout).values()];
    if (monitors.length > 0) {
      for (const actor of actors) actor.monitorKilled = true;
      killNow(random.pick(monitors));
    }
  }
  if (victim === "executor" || victim === "all of them") killNow(executorOf(box.pid));
  if (victim === "daemon" || victim === "all of them") await box.stop("SIGKILL");
}

/** What goes on in the background comes to an end, and then everything fits together. */
export async function settled(box: Sandbox, prefix = "", milliseconds = 4000): Promise<void> {
  let faults: string[] = [];
  const fits = () => {
    try {
      faults = inconsistencies(box.layout, prefix);
    } catch (error) {
      faults = [(error as Error).message]; // something went while it was looked at
    }
    return faults.length === 0;
  };
  const until = Date.now() + milliseconds * patience;
  while (!fits() && Date.now() < until) await delay(20);
  assert.deepEqual(faults, [], "what does not fit together");
  const complaints = daemonLog(box).filter(({ level }) => level >= 50);
  assert.deepEqual(complaints, [], "the daemon's log has errors");
}

/** The daemon's log, without what is no JSON: a kill may have cut a line, and the next daemon's goes on behind it. */
function daemonLog(box: Sandbox): { level: number }[] {
  const lines = readFileSync(join(box.directory, "daemon.log"), "utf8").split("\n");
  return lines.flatMap((line) => {
    try {
      return [JSON.parse(line.slice(Math.max(0, line.lastIndexOf('{"level":')))) as { level: number }];
    } catch {
      return [];
    }
  });
}

async function tidy(box: Sandbox, users: number): Promise<void> {
  await box.clear();
  for (let index = 0; index < users; index++) {
    await box.api("DELETE", `/images/user${index}?force=1`);
    await box.api("DELETE", `/volumes/user${index}?force=1`);
  }
  await settled(box);
}
