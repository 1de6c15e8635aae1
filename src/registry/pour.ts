import type { ClientRequest } from "node:http";

/**
 * Sends a body no faster than it is taken, and leaves off when the answer comes first: then the request is over, and its
 * connection with it. A failure of the source is the request's.
 */
export async function pour(source: AsyncIterable<Uint8Array>, request: ClientRequest): Promise<void> {
  let answered = false;
  request.once("response", (response) => {
    answered = true;
    if (request.writableEnded) return;
    response.once("close", () => request.destroy());
  });
  try {
    for await (const piece of source) {
      if (answered || request.destroyed) return;
      if (!request.write(piece)) await writable(request);
    }
    if (!answered) request.end();
  } catch (error) {
    request.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Resolves when the request takes more, has been answered or is over. */
function writable(request: ClientRequest): Promise<void> {
  const events = ["drain", "response", "close"] as const;
  return new Promise((resolve) => {
    const done = () => {
      for (const event of events) request.off(event, done);
      resolve();
    };
    for (const event of events) request.on(event, done);
    if (!request.writableNeedDrain || request.destroyed) done();
  });
}
