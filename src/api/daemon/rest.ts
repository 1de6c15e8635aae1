import type { Activity } from "./activity.ts";

/** Milliseconds without a request after which a daemon rests. */
const pause = 20_000;

/** V8's collector, as `--expose-gc` gives it; the daemon is started with that flag. */
type Collect = (options: { type: "major"; execution: "sync"; flavor: "last-resort" }) => void;

/**
 * Gives memory back whenever nothing has been asked for a while. V8 collects when it allocates, so a daemon that rests
 * would keep what its last requests, and its own start, have left behind: a tenth of its memory. Takes some 30 ms, and the
 * next request 10 more, for code that was used once is let go of, too: nothing to do between two commands of somebody.
 */
export function tidyAtRest(activity: Activity): () => void {
  const collect = (globalThis as { gc?: Collect }).gc;
  if (collect === undefined) return () => {};
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    const left = pause - activity.idleFor;
    if (left > 0) timer = setTimeout(look, left).unref();
    else {
      timer = undefined;
      collect({ type: "major", execution: "sync", flavor: "last-resort" });
    }
  };
  const arm = (): void => {
    timer ??= setTimeout(look, pause).unref();
  };
  const stop = activity.onSettled(arm);
  arm();
  return () => {
    stop();
    clearTimeout(timer);
  };
}
