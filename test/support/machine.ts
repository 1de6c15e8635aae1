import type { Namespace } from "./namespace.ts";
import type { Finished, RunOptions } from "./process.ts";

/**
 * A machine with an engine on it, in a network of its own, and a host outside that routes to every network of the
 * machine's. Tests speak Docker's command line to it, so that the same test runs against dockerd: see `machine()`.
 */
export interface Machine {
  /** A file that the containers' image has as /bin/probe, too. */
  readonly probe: string;
  readonly directory: string;
  readonly namespace: Namespace;
  readonly outside: Namespace;
  /** DOCKER_HOST and all else that Docker's own tools need. */
  readonly env: NodeJS.ProcessEnv;
  readonly engine: "sampan" | "dockerd";
  /** The machine's end of the cable to the outside. */
  readonly link: string;
  open(): Promise<void>;
  /** Kills the engine without warning. */
  kill(): Promise<void>;
  /** Kills it and starts it again. */
  crash(): Promise<void>;
  /** Ends the engine in order. */
  stop(): Promise<void>;
  /** `args` of the daemon instead of those that it had. */
  start(args?: readonly string[]): Promise<void>;
  /** `sampan ARGS…`, which has to succeed, where that is the engine. */
  sampan(...args: string[]): Promise<string>;
  /** `sampan ARGS…`, however it ends; absent where that is not the engine. */
  run?(args: readonly string[], options?: RunOptions): Promise<Finished>;
  logs(): string;
  /** Removes all; fails when something is left in the machine's network. */
  close(): Promise<void>;
}
