import type { Activity } from "./activity.ts";

/**
 * Calls `leave` once, when for `seconds` nothing has been asked and `busy` says no. Looks when that can be the case at
 * the earliest: a timer per idle period, not a poll.
 */
export function watchIdle(
  activity: Activity,
  { seconds, busy, leave }: { seconds: number; busy: () => boolean; leave: () => void },
): () => void {
  const period = seconds * 1000;
  let timer: NodeJS.Timeout;
  const look = (): void => {
    const left = busy() ? period : period - activity.idleFor;
    if (left <= 0) leave();
    else timer = setTimeout(look, left);
  };
  timer = setTimeout(look, period);
  return () => clearTimeout(timer);
}
