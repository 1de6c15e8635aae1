import type { RestartPolicy } from "../config.ts";
import type { RecordedState } from "../records/record.ts";

const shortest = 100;
const longest = 60_000;
/** A container that has run this long begins anew with short delays. */
const settled = 10_000_000_000n;

/** Milliseconds until a container that has just ended is started again; undefined: it stays as it is. */
export function restartDelay({ Name, MaximumRetryCount }: RestartPolicy, state: RecordedState): number | undefined {
  if (state.stopped || !wanted(Name, MaximumRetryCount, state)) return undefined;
  if (state.finishedAt - state.startedAt >= settled) return shortest;
  return Math.min(shortest * 2 ** Math.min(state.restarts, 20), longest);
}

function wanted(name: string, most: number, { exitCode, restarts }: RecordedState): boolean {
  if (name === "always" || name === "unless-stopped") return true;
  return name === "on-failure" && exitCode !== 0 && (most === 0 || restarts < most);
}

/** Whether a daemon that has just started brings a container back that does not run. */
export function startsWithDaemon({ Name }: RestartPolicy, state: RecordedState): boolean {
  if (state.status === "created") return false;
  if (Name === "always") return true;
  return !state.stopped && (Name === "unless-stopped" || (Name === "on-failure" && state.exitCode !== 0));
}
