import type { Engine } from "../engine/types.ts";
import type { RegistryAuth } from "../registry/types.ts";
import type { Activity } from "./daemon/activity.ts";

/** The part of a pino logger that the API needs. */
export interface Log {
  error(object: object, message: string): void;
  debug(object: object, message: string): void;
}

/** What the routes work with. */
export interface ApiContext {
  readonly engine: Engine;
  readonly log: Log;
  readonly activity: Activity;
  /** Fires when the daemon leaves: answers that would never end must. */
  readonly leaving: AbortSignal;
  /** Asks the registry whether it takes the credentials; rejects with "denied" when it does not. */
  checkLogin(auth: RegistryAuth): Promise<void>;
}
