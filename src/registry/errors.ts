import { SampanError } from "../errors/index.ts";

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused: is a registry listening there?",
  ECONNRESET: "the connection was reset",
  EPIPE: "the connection was closed",
  ENOTFOUND: "no such host: check the name and the machine's DNS",
  EAI_AGAIN: "the name could not be resolved: DNS does not answer",
  ETIMEDOUT: "no answer in time",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "the network is unreachable",
  EPROTO: "no TLS there: for a plain HTTP registry add it to the insecure registries",
  ERR_SSL_WRONG_VERSION_NUMBER: "no TLS there: for a plain HTTP registry add it to the insecure registries",
  DEPTH_ZERO_SELF_SIGNED_CERT: "self-signed certificate: trust it on this machine or list the registry as insecure",
  SELF_SIGNED_CERT_IN_CHAIN: "unknown certificate authority: trust it on this machine or list the registry as insecure",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    "unknown certificate authority: trust it on this machine or list the registry as insecure",
  CERT_HAS_EXPIRED: "its certificate has expired",
};

/** No connection, or none that lasted until the answer: kind "unavailable", with host, errno name and remedy. */
export function connectionError(url: URL, cause: unknown): SampanError {
  return new SampanError("unavailable", `Cannot reach registry ${url.host}: ${explain(cause)}`, { cause });
}

/** A body that broke off. Errors of ours pass through. */
export function transferError(what: string, cause: unknown): SampanError {
  if (cause instanceof SampanError) return cause;
  return new SampanError("unavailable", `Cannot read ${what}: ${explain(cause)}`, { cause });
}

/** The errno-like code of a network error; the first one of an attempt over several addresses. */
export function codeOf(error: unknown): string | undefined {
  if (error instanceof SampanError) return codeOf(error.cause);
  if (error instanceof AggregateError && !("code" in error && error.code)) return codeOf(error.errors[0]);
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

function explain(cause: unknown): string {
  const code = codeOf(cause);
  const detail = cause instanceof Error ? cause.message : String(cause);
  if (code === undefined) return detail;
  return `${code}: ${reasons[code] ?? detail}`;
}
