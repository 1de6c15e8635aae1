import { setTimeout as sleep } from "node:timers/promises";
import { SampanError } from "../errors/index.ts";
import { codeOf } from "./errors.ts";
import { drop, type HttpResponse, type Send } from "./http.ts";

/** How patient we are: at most `attempts` tries, the n-th after `base`·2ⁿ ms (half of it random), never above `max`. */
export interface Patience {
  readonly attempts: number;
  readonly base: number;
  readonly max: number;
}

export const usualPatience: Patience = { attempts: 5, base: 250, max: 30_000 };

/** A refused or unresolvable address does not heal in seconds; these do. */
const transientCodes = new Set(["ECONNRESET", "EPIPE", "ETIMEDOUT", "EAI_AGAIN", "ECONNABORTED"]);
const transientStatus = new Set([408, 429, 500, 502, 503, 504]);

/** Repeats what may heal: broken connections, 429 and 5xx, as `Retry-After` says where the server says it. */
export function withRetry(send: Send, patience = usualPatience): Send {
  return async (request) => {
    for (let attempt = 1; ; attempt++) {
      const last = attempt >= patience.attempts;
      let delay = backOff(attempt, patience);
      try {
        const response = await send(request);
        if (last || !transientStatus.has(response.status)) return response;
        delay = retryAfter(response, Date.now()) ?? delay;
        if (delay > patience.max) return response;
        if (request.limit === undefined) drop(response);
      } catch (error) {
        if (last || !transientCodes.has(codeOf(error) ?? "")) throw error;
      }
      await pause(delay, request.signal);
    }
  };
}

/** The delay in ms before the try after the `attempt`-th. */
export function backOff(attempt: number, { base, max }: Patience): number {
  const full = Math.min(max, base * 2 ** (attempt - 1));
  return full / 2 + (Math.random() * full) / 2;
}

/** Waits `ms`, or throws kind "cancelled". */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal ? { signal } : {});
  } catch (cause) {
    throw new SampanError("cancelled", "The request was cancelled while it waited for the next try", { cause });
  }
}

/** `Retry-After` (RFC 9110, 10.2.3) in ms from `now`. */
export function retryAfter({ headers }: Pick<HttpResponse, "headers">, now: number): number | undefined {
  const value = headers["retry-after"];
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
