import type { RestartPolicy } from "../config.ts";
import type { RecordedState } from "../records/record.ts";

const shortest = 100;
const longest = 60_000;
/** A container that has run this long begins anew with short delays. */
const settled = 10_000_000_000n;

/** Milliseconds until a container that has just ended is started again; undefined: it stays as it is. */
export function restartDelay({ Name, MaximumRetryCount }: RestartPolicy, state: RecordedState): number | undefined {
  if (state.stopped || !wanted(Name, MaximumRetryCount, state)) return undefined;
  const { restarts, backOff = 0, finishedAt, startedAt } = state;
  if (restarts === 0 || backOff === 0 || finishedAt - startedAt >= settled) return shortest;
  return Math.min(backOff * 2, longest);
}

/** Milliseconds that are left of a wait which a daemon that is gone had begun. */
export function remainingDelay({ status, backOff = 0, finishedAt }: RecordedState, now: bigint): number {
  if (status !== "restarting") return 0;
  return Math.max(0, Math.min(backOff, Number(finishedAt - now) / 1e6 + backOff));
}

function wanted(name: string, most: number, { exitCode, restarts }: RecordedState): boolean {
  if (name === "always" || name === "unless-stopped") return true;
  return name === "on-failure" && exitCode !== 0 && (most === 0 || restarts < most);
}

/** Whether a daemon that has just started brings a container back that does not run. */
export function startsWithDaemon({ Name, MaximumRetryCount }: RestartPolicy, state: RecordedState): boolean {
  if (state.status === "created") return false;
  if (Name === "always") return true;
  if (state.stopped) return false;
  // The restart that was to come has been counted, and granted.
  if (state.status === "restarting") return Name !== "no";
  return wanted(Name, MaximumRetryCount, state);
}
