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
  return (await speaks(send, first, signal)) ? first : second;
}

/** Whether a registry answers there by this protocol. No answer at all counts as yes: the next request will tell why. */
async function speaks(send: Send, origin: Origin, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    const url = new URL("/v2/", origin.url);
    const response = await send({ method: "GET", url, headers: {}, insecure: true, signal });
    drop(response);
    // Go's TLS servers answer a plain request with 400 "Client sent an HTTP request to an HTTPS server".
    return response.status !== 400;
  } catch (error) {
    const code = codeOf(error);
    if (origin.url.protocol === "https:") return code === "ENOTFOUND" || code === "EAI_AGAIN";
    return !(code === "ECONNRESET" || code === "EPIPE" || code?.startsWith("HPE_"));
  }
}
