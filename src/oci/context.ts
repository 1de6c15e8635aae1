import { join } from "node:path";
import type { Log } from "./log.ts";
import type { Store } from "./state/store.ts";

/** What every command has: where containers are remembered, and where errors go. */
export interface Context {
  readonly store: Store;
  readonly log: Log;
  /** systemd makes the cgroups of containers (`--systemd-cgroup`). */
  readonly systemd: boolean;
}

/** The native helper of this checkout or package. */
export const helperBinary = join(import.meta.dirname, "../../native/build/executor");
