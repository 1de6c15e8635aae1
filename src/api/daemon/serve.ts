import { setMaxListeners } from "node:events";
import type { Server } from "node:http";
import type { Engine } from "../../engine/types.ts";
import type { RegistryAuth } from "../../registry/types.ts";
import { createApi } from "../api.ts";
import type { Log } from "../context.ts";
import { Activity } from "./activity.ts";
import type { Address } from "./addresses.ts";
import { listen } from "./listen.ts";

/** ms. What answers under way get when the daemon leaves. */
const patience = 2000;

export interface ServeOptions {
  readonly engine: Engine;
  readonly log: Log;
  readonly addresses: readonly Address[];
  checkLogin(auth: RegistryAuth): Promise<void>;
}

/** The API at its addresses. */
export interface Service {
  readonly activity: Activity;
  /** Takes no more requests, lets those under way end for a short while, and cuts off the rest. */
  close(): Promise<void>;
}

/** Serves an engine at all of the addresses, or at none when one of them cannot be had. */
export async function serve({ engine, log, addresses, checkLogin }: ServeOptions): Promise<Service> {
  const activity = new Activity();
  const leaving = new AbortController();
  // One listener per endless answer is no leak.
  setMaxListeners(0, leaving.signal);
  const makeServer = await createApi({ engine, log, activity, leaving: leaving.signal, checkLogin });
  const listening: { server: Server; remove: () => void }[] = [];
  const close = async (): Promise<void> => {
    for (const { server, remove } of listening) {
      remove();
      server.close();
      server.closeIdleConnections();
    }
    await settle(activity, leaving);
    for (const { server } of listening) server.closeAllConnections();
  };
  try {
    for (const address of addresses) {
      const server = makeServer();
      listening.push({ server, remove: await listen(server, address) });
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { activity, close };
}

/** Endless answers are told to end; the others may, first. */
async function settle(activity: Activity, leaving: AbortController): Promise<void> {
  leaving.abort();
  await activity.settled(patience);
}
