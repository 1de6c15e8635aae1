import { SampanError } from "../../errors/index.ts";
import type { GitReference } from "./reference.ts";

/** A header for all requests to an origin, "https://host:port/". */
export interface AuthHeader {
  readonly scope: string;
  readonly header: string;
}

/**
 * What a repository's server is told about who asks: the URL's own user and password, else the build's secrets in BuildKit's
 * order, `GIT_AUTH_HEADER.HOST`, `GIT_AUTH_TOKEN.HOST`, `GIT_AUTH_HEADER`, `GIT_AUTH_TOKEN`. Secrets of other hosts are for
 * submodules. Other protocols than https and http have none.
 */
export function authHeaders(
  { protocol, host, credentials }: GitReference,
  secrets: ReadonlyMap<string, Uint8Array>,
): readonly AuthHeader[] {
  const headers = new Map<string, string>();
  for (const other of hostsOf(secrets)) put(headers, `https://${other}/`, ofHost(secrets, other));
  if (protocol === "https" || protocol === "http") {
    const own = credentials === undefined ? undefined : basic(credentials);
    const general = headerOf(secrets, "GIT_AUTH_HEADER") ?? tokenOf(secrets, "GIT_AUTH_TOKEN");
    put(headers, `${protocol}://${host}/`, own ?? ofHost(secrets, host) ?? general);
  }
  return [...headers].map(([scope, value]) => ({ scope, header: `Authorization: ${value}` }));
}

function put(headers: Map<string, string>, scope: string, value: string | undefined): void {
  if (value !== undefined) headers.set(scope, value);
}

function hostsOf(secrets: ReadonlyMap<string, Uint8Array>): Set<string> {
  return new Set([...secrets.keys()].flatMap((id) => /^GIT_AUTH_(?:HEADER|TOKEN)\.([\w.:[\]-]+)$/.exec(id)?.[1] ?? []));
}

function ofHost(secrets: ReadonlyMap<string, Uint8Array>, host: string): string | undefined {
  return headerOf(secrets, `GIT_AUTH_HEADER.${host}`) ?? tokenOf(secrets, `GIT_AUTH_TOKEN.${host}`);
}

function headerOf(secrets: ReadonlyMap<string, Uint8Array>, id: string): string | undefined {
  const secret = secrets.get(id);
  if (secret === undefined) return undefined;
  // Files end in newlines.
  const text = Buffer.from(secret).toString().trim();
  if (!/\p{Cc}/u.test(text)) return text;
  throw new SampanError("invalid", `Cannot use the secret ${id}: it has several lines or control characters`);
}

function tokenOf(secrets: ReadonlyMap<string, Uint8Array>, id: string): string | undefined {
  const token = headerOf(secrets, id);
  return token === undefined ? undefined : basic(`x-access-token:${token}`);
}

function basic(login: string): string {
  return `basic ${Buffer.from(login).toString("base64")}`;
}
