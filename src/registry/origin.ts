import { codeOf } from "./errors.ts";
import { hostOf, isLoopback } from "./hosts.ts";
import { drop, type Send } from "./http.ts";

/** Where a registry's API is. */
export interface Origin {
  readonly url: URL;
  readonly insecure: boolean;
}

/**
 * Finds out how to speak to a domain. Always TLS, unless the registry is `insecure` (loopback, or listed as such): then it
 * is asked. Loopback is asked in plain first (nobody can listen), others by TLS first (their password may travel).
 */
export async function findOrigin(send: Send, domain: string, insecure: boolean, signal?: AbortSignal): Promise<Origin> {
  const host = hostOf(domain);
  if (!insecure) return { url: new URL(`https://${host}`), insecure: false };
  const plain: Origin = { url: new URL(`http://${host}`), insecure: true };
  const tls: Origin = { url: new URL(`https://${host}`), insecure: true };
  const [first, second] = isLoopback(plain.url.hostname) ? [plain, tls] : [tls, plain];
  const answer = await speaks(send, first, signal);
  if (answer !== "broken") return answer === "yes" ? first : second;
  return (await speaks(send, second, signal)) === "yes" ? second : first;
}

/**
 * Whether a registry answers there by this protocol; "broken" when the connection broke, which may mean either. No answer
 * at all counts as yes for plain HTTP: the next request will tell why.
 */
async function speaks(send: Send, origin: Origin, signal: AbortSignal | undefined): Promise<"yes" | "no" | "broken"> {
  try {
    const url = new URL("/v2/", origin.url);
    const response = await send({ method: "GET", url, headers: {}, insecure: true, signal });
    drop(response);
    // Go's TLS servers answer a plain request with 400 "Client sent an HTTP request to an HTTPS server".
    return response.status === 400 ? "no" : "yes";
  } catch (error) {
    const code = codeOf(error);
    if (code === "ECONNRESET" || code === "EPIPE") return "broken";
    if (origin.url.protocol === "https:") return code === "ENOTFOUND" || code === "EAI_AGAIN" ? "yes" : "no";
    return code?.startsWith("HPE_") ? "no" : "yes";
  }
}
