import type { ServerResponse } from "node:http";

/** Resolves when the response takes more bytes, or never will. */
export function writable(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.once("drain", done);
    response.once("close", done);
    if (!response.writableNeedDrain || response.destroyed) done();
  });
}

/** Writes chunks no faster than the client reads; leaves the source when the client has left. */
export async function pump(source: AsyncIterable<Uint8Array | string>, response: ServerResponse): Promise<void> {
  for await (const chunk of source) {
    if (response.destroyed) return;
    if (!response.write(chunk)) await writable(response);
  }
  response.end();
}

/** As `pump`, for chunks that are only valid until the next is asked for: each has gone before that. */
export async function pumpBorrowed(source: AsyncIterable<Uint8Array>, response: ServerResponse): Promise<void> {
  for await (const chunk of source) {
    if (response.destroyed) return;
    await gone(response, chunk);
  }
  response.end();
}

function gone(response: ServerResponse, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off("close", done);
      resolve();
    };
    response.once("close", done);
    response.write(chunk, done);
  });
}
