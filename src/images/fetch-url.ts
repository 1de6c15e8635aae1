import { messageOf, SampanError } from "../errors/index.ts";
import { percentDecoded, redacted } from "./urls.ts";

/** What lies at a URL. It must be disposed of, read or not. */
export interface Fetched extends AsyncDisposable {
  readonly headers: Headers;
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Begins to download what lies at an http or https URL, as it lies there: without a transfer compression of the server's,
 * for it may be an archive that is compressed itself. A user and password in the URL are sent, and never told. Kind
 * "unavailable" when there is no such answer, or it breaks off; the signal's reason when it was aborted.
 */
export async function fetchUrl(url: string, signal: AbortSignal): Promise<Fetched> {
  const shown = redacted(url);
  const failed = (cause: unknown) => {
    if (signal.aborted) return signal.reason;
    const reason = cause instanceof Error ? (cause.cause ?? cause) : cause;
    return new SampanError("unavailable", `Cannot download ${shown}: ${messageOf(reason)}`, { cause });
  };
  const response = await request(url, signal).catch((cause) => {
    throw failed(cause);
  });
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new SampanError("unavailable", `Cannot download ${shown}: the answer is ${response.status}`);
  }
  // The reader is taken now: a response that is collected cancels a body that has none yet, and an empty file would be read.
  const pieces = response.body.values();
  return {
    headers: response.headers,
    body: piecesOf(pieces, failed),
    [Symbol.asyncDispose]: async () => {
      // Of what has broken off the reader has been told, or nobody wants to know.
      await pieces.return?.(undefined).catch(() => undefined);
    },
  };
}

/** fetch() takes no credentials in a URL; a redirection to another origin loses them. */
async function request(text: string, signal: AbortSignal): Promise<Response> {
  const url = new URL(text);
  const login = [url.username, url.password].map(percentDecoded).join(":");
  url.username = "";
  url.password = "";
  const authorization = login === ":" ? {} : { authorization: `Basic ${Buffer.from(login).toString("base64")}` };
  return await fetch(url, { signal, headers: { "accept-encoding": "identity", ...authorization } });
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
