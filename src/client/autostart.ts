import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, watch } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { SampanError } from "../errors/index.ts";
import type { Layout } from "../storage/layout.ts";
import { layoutOf } from "../storage/layout.ts";
import { makeRun } from "../storage/run-directory.ts";
import { daemonEntry, daemonEnvironment, nodeFlags } from "./daemon-entry.ts";
import { lockReleased, takeLock } from "./start-lock.ts";
import { whenAborted } from "./when-aborted.ts";

/** How long a daemon may take until it answers, in ms: a first start migrates databases and reconnects to containers. */
const patience = 60_000;

export interface StartOptions {
  readonly root?: string | undefined;
  readonly run?: string | undefined;
  readonly onStart?: (() => void) | undefined;
}

/**
 * Starts the default daemon in the background and resolves once it answers. Of several callers at once one starts it and
 * the others wait.
 */
export async function startDaemon(options: StartOptions): Promise<void> {
  const layout = layoutOf(options);
  makeRun(layout);
  const lock = join(layout.run, "start.sock");
  const deadline = AbortSignal.timeout(patience);
  for (;;) {
    const release = await takeLock(lock);
    if (release === undefined) {
      await lockReleased(lock, deadline);
      if (await answers(layout.apiSocket)) return;
      continue;
    }
    try {
      if (await answers(layout.apiSocket)) return;
      options.onStart?.();
      await launch(layout, options, deadline);
      return;
    } finally {
      release();
    }
  }
}

async function launch(layout: Layout, options: StartOptions, deadline: AbortSignal): Promise<void> {
  const logPath = join(layout.run, "daemon.log");
  const log = openSync(logPath, "w", 0o600);
  const flags = [...pair("--root", options.root), ...pair("--run", options.run), "--idle-exit"];
  const child = spawn(process.execPath, [...nodeFlags, daemonEntry(), ...flags], {
    detached: true,
    stdio: ["ignore", log, log],
    cwd: "/",
    env: daemonEnvironment(process.env),
  });
  closeSync(log);
  child.unref();
  const exited = once(child, "exit").then(([code, signal]) => {
    // The log's own lines are JSON; what is left is what the daemon says before it has a log.
    const lines = readFileSync(logPath, "utf8").split("\n");
    const said = lines.filter((line) => line !== "" && !line.startsWith("{")).join("\n");
    throw new SampanError(
      "unavailable",
      `Cannot start the Sampan daemon: ${said || `it ended with ${signal ?? code}`}`,
    );
  });
  exited.catch(() => {});
  const watching = new AbortController();
  try {
    await Promise.race([exited, listening(layout, AbortSignal.any([deadline, watching.signal]))]);
  } finally {
    watching.abort();
  }
}

/** Resolves when the API's socket takes connections; looks again whenever something changes in the run directory. */
function listening(layout: Layout, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = async (): Promise<void> => {
      if (await answers(layout.apiSocket)) finish(resolve);
    };
    const watcher = watch(layout.run, () => void look());
    // The socket appears at bind(2) but answers from listen(2) on, of which the watch says nothing.
    const timer = setInterval(look, 50);
    const finish = (settle: () => void): void => {
      watcher.close();
      clearInterval(timer);
      settle();
    };
    const silent = `The Sampan daemon does not answer at unix://${layout.apiSocket}`;
    whenAborted(signal, () => finish(() => reject(new SampanError("timeout", silent))));
  });
}

/** Whether something accepts connections at the socket. */
export function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function pair(flag: string, value: string | undefined): string[] {
  return value === undefined ? [] : [flag, value];
}
