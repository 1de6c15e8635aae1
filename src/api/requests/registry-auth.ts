import * as z from "zod";
import type { RegistryAuth } from "../../registry/types.ts";
import { struct } from "./validate.ts";

const schema = struct({
  username: z.string(),
  password: z.string(),
  auth: z.string(),
  serveraddress: z.string(),
  identitytoken: z.string(),
  registrytoken: z.string(),
});

/**
 * Credentials from an X-Registry-Auth header: base64url of JSON. Clients also send standard base64, no padding, "{}",
 * nothing at all and garbage; whatever cannot be read means an anonymous pull, as in dockerd.
 */
export function parseRegistryAuth(header: string | string[] | undefined): RegistryAuth | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  if (text === undefined || text.trim() === "") return undefined;
  try {
    return credentials(JSON.parse(Buffer.from(text.trim(), "base64url").toString("utf8")));
  } catch {
    return undefined;
  }
}

/** The same as an object: the body of POST /auth. */
export function credentials(value: unknown): RegistryAuth | undefined {
  const parsed = schema.safeParse(value);
  if (!parsed.success) return undefined;
  const { auth, ...named } = parsed.data;
  const [username, password] = pair(auth ?? "");
  const found = {
    username: named.username || username,
    password: named.password || password,
    serveraddress: named.serveraddress || undefined,
    identitytoken: named.identitytoken || undefined,
    registrytoken: named.registrytoken || undefined,
  };
  const anonymous = !found.username && !found.identitytoken && !found.registrytoken;
  return anonymous ? undefined : found;
}

/** The old `auth` member: base64 of "name:password". */
function pair(auth: string): [string | undefined, string | undefined] {
  const text = Buffer.from(auth, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0 ? [undefined, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
}
