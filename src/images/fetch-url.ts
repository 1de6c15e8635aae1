import { messageOf, SampanError } from "../errors/index.ts";

/** What lies at a URL: read `body` to its end, or return it. */
export interface Fetched {
  readonly headers: Headers;
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Begins to download what lies at an http or https URL, as it lies there: without a transfer compression of the server's,
 * for it may be an archive that is compressed itself. Kind "unavailable" when there is no such answer, or it breaks off;
 * the signal's reason when it was aborted.
 */
export async function fetchUrl(url: string, signal: AbortSignal): Promise<Fetched> {
  const failed = (cause: unknown) => {
    if (signal.aborted) return signal.reason;
    const reason = cause instanceof Error ? (cause.cause ?? cause) : cause;
    return new SampanError("unavailable", `Cannot download ${url}: ${messageOf(reason)}`, { cause });
  };
  const response = await fetch(url, { signal, headers: { "accept-encoding": "identity" } }).catch((cause) => {
    throw failed(cause);
  });
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new SampanError("unavailable", `Cannot download ${url}: the answer is ${response.status}`);
  }
  // The reader is taken now: a response that is collected cancels a body that has none yet, and an empty file would be read.
  return { headers: response.headers, body: piecesOf(response.body.values(), failed) };
}

async function* piecesOf(
  pieces: AsyncIterable<Uint8Array>,
  failed: (cause: unknown) => unknown,
): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
  } catch (cause) {
    throw failed(cause);
  }
}
