import { homedir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parseRemap, type Remap } from "../../engine/users/remap.ts";
import { messageOf, SampanError } from "../../errors/index.ts";
import type { NetworkingOptions } from "../../network/options.ts";
import { type Address, parseAddress } from "./addresses.ts";
import { networkingFlags, networkingSwitches, networkingUsage, parseNetworking } from "./networking.ts";
import { parseStorageOptions } from "./storage.ts";

export const logLevels = ["fatal", "error", "warn", "info", "debug", "trace"] as const;
export type LogLevel = (typeof logLevels)[number];

/** Seconds. What `--idle-exit` without a number means. */
const usualIdleExit = 60;

export interface DaemonOptions {
  readonly root?: string | undefined;
  readonly run?: string | undefined;
  /** Where to listen besides the socket in the run directory. */
  readonly hosts: readonly Address[];
  /** Seconds without requests and running containers after which to leave; never when absent. */
  readonly idleExit?: number | undefined;
  readonly logLevel: LogLevel;
  /** Where the log goes; standard error when absent. */
  readonly logFile?: string | undefined;
  /** "host", "host:port" or "network/bits" that may be spoken to without verified TLS. */
  readonly insecureRegistries: readonly string[];
  /** Hosts to ask before docker.io. */
  readonly mirrors: readonly string[];
  /** Directory with `registries.json` and `certs.d`. */
  readonly registryConfig: string;
  /** Bytes that a container's writable layer may hold unless it says otherwise. */
  readonly layerLimit?: number | undefined;
  readonly networking: NetworkingOptions;
  /** The users that containers have of their own; the machine's when absent. */
  readonly usersRemap?: Remap | undefined;
}

export const usage = `Usage: sampan daemon [OPTIONS]

Serve the Docker Engine API

Options:
      --root DIR                 Where images and containers are kept
      --run DIR                  Where the socket and the pid file are
  -H, --host ADDRESS             Listen there, too: unix:///path or tcp://127.0.0.1:port (may be repeated)
      --idle-exit[=SECONDS]      Leave after so long without requests and running containers (60 without a number)
      --log-level LEVEL          ${logLevels.join(", ")} (info)
      --log-file FILE            Write the log there instead of to standard error
      --insecure-registry HOST   Speak to this registry without verified TLS (may be repeated)
      --registry-config DIR      Where registries.json and certs.d are (/etc/sampan)
      --registry-mirror HOST     Ask this host before docker.io (may be repeated)
      --userns-remap default|USER[:GROUP]
                                 Give containers ids of their own: free ones, or those of a user in /etc/subuid
      --storage-opt overlay2.size=SIZE
                                 What a container may write to its own layer unless it says otherwise

${networkingUsage}`;

/** Reads the daemon's own command line; `undefined` when only help was asked for. */
export function parseOptions(argv: readonly string[]): DaemonOptions | undefined {
  const { values } = parse(argv.map(withValue));
  if (values.help) return undefined;
  const level = values["log-level"];
  const logLevel = logLevels.find((known) => known === level);
  if (logLevel === undefined) {
    throw new SampanError(
      "invalid",
      `Cannot use the log level ${JSON.stringify(level)}: wanted ${logLevels.join(", ")}`,
    );
  }
  return {
    root: values.root,
    run: values.run,
    hosts: values.host.map(parseAddress),
    idleExit: idleExit(values["idle-exit"]),
    logLevel,
    logFile: values["log-file"],
    insecureRegistries: values["insecure-registry"],
    mirrors: values["registry-mirror"],
    registryConfig: values["registry-config"] ?? defaultRegistryConfig(),
    usersRemap: values["userns-remap"] ? parseRemap(values["userns-remap"]) : undefined,
    layerLimit: parseStorageOptions(values["storage-opt"]),
    networking: parseNetworking({ ...values, bridge: values.bridge ?? process.env.SAMPAN_BRIDGE }),
  };
}

/** Flags that may stand alone have a value to `parseArgs`. */
function withValue(argument: string): string {
  if (argument === "--idle-exit") return "--idle-exit=";
  return networkingSwitches.some((name) => argument === `--${name}`) ? `${argument}=true` : argument;
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        root: { type: "string" },
        run: { type: "string" },
        host: { type: "string", short: "H", multiple: true, default: [] },
        "idle-exit": { type: "string" },
        "log-level": { type: "string", default: "info" },
        "log-file": { type: "string" },
        "insecure-registry": { type: "string", multiple: true, default: [] },
        "registry-config": { type: "string" },
        "registry-mirror": { type: "string", multiple: true, default: [] },
        "userns-remap": { type: "string" },
        "storage-opt": { type: "string", multiple: true, default: [] },
        ...networkingFlags,
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (cause) {
    throw new SampanError("invalid", `${messageOf(cause)}\n\n${usage}`, { cause });
  }
}

/** The machine's, or the user's own without root. */
function defaultRegistryConfig(): string {
  if (process.getuid?.() === 0) return "/etc/sampan";
  return join(process.env.XDG_CONFIG_HOME || join(homedir(), ".config"), "sampan");
}

function idleExit(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (text === "") return usualIdleExit;
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds > 0) return seconds;
  throw new SampanError("invalid", `Cannot use --idle-exit=${text}: wanted a number of seconds`);
}
