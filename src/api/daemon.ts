import { openEngine } from "../engine/open.ts";
import { messageOf } from "../errors/index.ts";
import { leave } from "../kernel/leave.ts";
import { checkLogin } from "../registry/login.ts";
import { RegistriesFile } from "../registry/settings.ts";
import type { RegistryAuth } from "../registry/types.ts";
import { type Layout, layoutOf } from "../storage/layout.ts";
import { formatAddress } from "./daemon/addresses.ts";
import { makeDirectories } from "./daemon/directories.ts";
import { watchIdle } from "./daemon/idle.ts";
import { takeRoot } from "./daemon/lock.ts";
import { createLog } from "./daemon/log.ts";
import { type DaemonOptions, parseOptions, usage } from "./daemon/options.ts";
import { tidyAtRest } from "./daemon/rest.ts";
import { serve } from "./daemon/serve.ts";

/** A daemon that answers requests. */
export interface Daemon {
  /** Resolves when it has left. */
  readonly ended: Promise<void>;
  /** Makes it leave: answers under way may end, containers go on running. */
  stop(why: string): void;
}

/**
 * Starts a daemon: makes itself the only one of its root, opens the engine (which finds the containers that outlived the
 * last daemon) and listens. Rejects, having left nothing open, when any of that is impossible.
 */
export async function runDaemon(options: DaemonOptions): Promise<Daemon> {
  const layout = layoutOf(options);
  makeDirectories(layout);
  const release = takeRoot(layout);
  try {
    return await start(options, layout, release);
  } catch (error) {
    release();
    throw error;
  }
}

async function start(options: DaemonOptions, layout: Layout, release: () => void): Promise<Daemon> {
  const { insecureRegistries, registryConfig, networking, usersRemap, layerLimit } = options;
  checkRegistryConfig(registryConfig);
  const log = createLog(options);
  const mirrors = { "docker.io": options.mirrors };
  const engine = await openEngine({
    layout,
    log,
    insecureRegistries,
    mirrors,
    registryConfig,
    networking,
    usersRemap,
    layerLimit,
  });
  const addresses = [{ path: layout.apiSocket }, ...options.hosts];
  const login = (auth: RegistryAuth) => checkLogin(auth, { insecureRegistries, configDirectory: registryConfig });
  const service = await serve({ engine, log, addresses, checkLogin: login }).catch(async (error) => {
    await engine.close();
    throw error;
  });
  log.info({ root: layout.root, addresses: addresses.map(formatAddress), pid: process.pid }, "listening");
  const left = Promise.withResolvers<void>();
  let leaving = false;
  const stop = (why: string): void => {
    if (leaving) return;
    leaving = true;
    log.info({ why }, "leaving");
    stopWatching();
    stopTidying();
    const closed = service.close().then(() => engine.close());
    closed.finally(release).then(left.resolve, left.reject);
  };
  const { idleExit: seconds } = options;
  const watching = { busy: () => engine.busy(), leave: () => stop("idle") };
  const stopWatching = seconds === undefined ? () => {} : watchIdle(service.activity, { seconds, ...watching });
  const stopTidying = tidyAtRest(service.activity);
  return { ended: left.promise, stop };
}

/** A malformed file is told at the start, rather than with the first pull. */
function checkRegistryConfig(directory: string): void {
  new RegistriesFile(directory).of("docker.io");
}

/** The program: runs a daemon until a signal, or until it is idle. */
async function main(argv: readonly string[]): Promise<void> {
  const options = parseOptions(argv);
  if (options === undefined) {
    process.stdout.write(usage);
    return;
  }
  const daemon = await runDaemon(options);
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    process.once(signal, () => {
      daemon.stop(signal);
      // Who asks twice does not want to wait.
      process.once(signal, () => leave(1));
    });
  }
  await daemon.ended;
}

if (import.meta.main) {
  // Nothing is repaired in a process that has met a defect: it leaves, the containers stay, the next daemon finds them.
  process.on("uncaughtException", (error) => {
    process.stderr.write(`sampan daemon: ${error.stack ?? error}\n`);
    leave(70);
  });
  main(process.argv.slice(2)).then(
    () => leave(0),
    (error: unknown) => {
      process.stderr.write(`${messageOf(error)}\n`);
      leave(1);
    },
  );
}
