import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * A signal that fires when nobody waits for the answer any more: the client has closed its connection or its half of it
 * (a Unix socket does not tell which), or the daemon is about to leave. A finished answer does not fire it.
 */
export function departure(request: IncomingMessage, response: ServerResponse, leaving: AbortSignal): AbortSignal {
  const controller = new AbortController();
  const { socket } = request;
  const abort = (): void => controller.abort();
  if (socket.destroyed || socket.readableEnded || leaving.aborted) abort();
  socket.once("end", abort);
  leaving.addEventListener("abort", abort);
  response.once("close", () => {
    socket.off("end", abort);
    leaving.removeEventListener("abort", abort);
    if (!response.writableFinished) abort();
  });
  return controller.signal;
}
