import { messageOf } from "../errors/index.ts";
import type { Send } from "./http.ts";

/** One request as it went over the wire; no header is part of it, so no secret is. */
export interface Exchange {
  readonly method: string;
  /** Without the query: signed addresses of storage providers carry secrets there. */
  readonly url: string;
  /** Absent when there was no answer. */
  readonly status?: number;
  readonly error?: string;
  /** Milliseconds until the answer's head (or its whole body, when that was asked for). */
  readonly took: number;
}

/** Tells `tell` of every request. */
export function withTrace(send: Send, tell: (exchange: Exchange) => void): Send {
  return async (request) => {
    const start = performance.now();
    const base = { method: request.method, url: request.url.origin + request.url.pathname };
    try {
      const response = await send(request);
      tell({ ...base, status: response.status, took: performance.now() - start });
      return response;
    } catch (error) {
      tell({ ...base, error: messageOf(error), took: performance.now() - start });
      throw error;
    }
  };
}
