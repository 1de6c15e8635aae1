import { setTimeout as sleep } from "node:timers/promises";
import { openCgroupsAt } from "../../cgroups/index.ts";
import { SampanError } from "../../errors/index.ts";
import { writeOut } from "../output.ts";
import { shownStats } from "../state/stats.ts";
import { isAlive } from "../state/status.ts";
import type { ContainerRecord } from "../state/store.ts";
import { command, idOf } from "./command.ts";

export const events = command({
  name: "events",
  usage: "[options] CONTAINER",
  help: "tell what a container uses, and when it runs out of memory",
  options: {
    interval: { kind: "text", help: "how often, as 500ms, 5s or 1m; 5s by default" },
    stats: { kind: "flag", help: "tell it once" },
  },
  words: [1, 1],
  run: async ({ store }, { interval = "5s", stats }, words) => {
    const record = store.read(idOf(words));
    const pause = durationOf(interval);
    if (!isAlive(record)) throw new SampanError("conflict", `container with id ${record.id} is not running`);
    if (stats) tell("stats", record, shownStats(usageOf(record)));
    else await follow(record, pause);
    return 0;
  },
});

function usageOf(record: ContainerRecord) {
  return openCgroupsAt(record.cgroupPath).usage(record.cgroupPath);
}

/** Until the container ends. The kernel counts OOM kills: one more since the last look is an event. */
async function follow(record: ContainerRecord, pause: number): Promise<void> {
  for (let kills: number | undefined; isAlive(record); await sleep(pause)) {
    const usage = usageOf(record);
    const now = usage.memory?.oomKills ?? 0;
    if (kills !== undefined && now > kills) tell("oom", record, undefined);
    kills = now;
    tell("stats", record, shownStats(usage));
  }
}

function tell(type: "stats" | "oom", { id }: ContainerRecord, data: unknown): void {
  writeOut(`${JSON.stringify({ type, id, ...(data !== undefined && { data }) })}\n`);
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a duration as Go writes it. Throws `invalid`. */
function durationOf(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  const milliseconds = Number(match?.[1]) * (units[match?.[2] ?? ""] ?? Number.NaN);
  if (milliseconds > 0) return milliseconds;
  throw new SampanError("invalid", `--interval: ${JSON.stringify(text)} is no duration greater than 0`);
}
