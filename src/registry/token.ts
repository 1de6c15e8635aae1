import * as z from "zod";
import { SampanError } from "../errors/index.ts";
import type { Challenge } from "./challenge.ts";
import { failure } from "./failure.ts";
import type { HttpRequest, Send } from "./http.ts";
import type { RegistryAuth } from "./types.ts";

const answer = z.object({
  token: z.string().optional(),
  access_token: z.string().optional(),
  expires_in: z.number().optional(),
  refresh_token: z.string().optional(),
});

export interface Token {
  readonly value: string;
  /** Milliseconds of the epoch. */
  readonly expires: number;
}

/** What asking for a token needs to know of the request that was refused. */
export interface TokenContext {
  readonly insecure: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks the realm of a Bearer challenge for a token (distribution's token specification): with an identity token by
 * OAuth2 refresh, else by GET, with the user's name and password where there are some, else anonymously.
 */
export async function fetchToken(
  send: Send,
  challenge: Challenge,
  auth: RegistryAuth,
  c: TokenContext,
): Promise<Token> {
  const realm = URL.parse(challenge.parameters.get("realm") ?? "");
  if (realm === null || !["http:", "https:"].includes(realm.protocol)) {
    throw new SampanError("unavailable", "Cannot authenticate: the registry names no valid realm to get a token from");
  }
  if (realm.protocol === "http:" && !c.insecure) {
    throw new SampanError(
      "denied",
      `Cannot authenticate: the registry wants credentials sent to ${realm.href} without TLS`,
    );
  }
  const request = auth.identitytoken
    ? refreshRequest(realm, challenge, auth.identitytoken)
    : plainRequest(realm, challenge, auth);
  const response = await send({ ...request, insecure: c.insecure, limit: 1024 * 1024, signal: c.signal });
  if (response.status !== 200) throw failure(response, `get a token from ${realm.host}`);
  return parseToken(response.bytes, realm.host);
}

type Bare = Pick<HttpRequest, "method" | "url" | "headers" | "body">;

function plainRequest(realm: URL, { parameters }: Challenge, auth: RegistryAuth): Bare {
  const url = new URL(realm);
  for (const name of ["service", "scope"]) {
    const value = parameters.get(name);
    // A scope header holds several scopes, separated by spaces; the query repeats the parameter.
    for (const part of name === "scope" ? (value?.split(" ") ?? []) : value ? [value] : []) {
      url.searchParams.append(name, part);
    }
  }
  if (!auth.username) return { method: "GET", url, headers: {} };
  url.searchParams.set("account", auth.username);
  return { method: "GET", url, headers: { authorization: basic(auth) } };
}

function refreshRequest(realm: URL, { parameters }: Challenge, refresh: string): Bare {
  const form = new URLSearchParams({ grant_type: "refresh_token", client_id: "sampan", refresh_token: refresh });
  for (const name of ["service", "scope"]) form.set(name, parameters.get(name) ?? "");
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return { method: "POST", url: realm, headers, body: form.toString() };
}

function parseToken(bytes: Buffer, host: string): Token {
  const parsed = answer.safeParse(parseJson(bytes));
  const value = parsed.data?.token || parsed.data?.access_token;
  if (!value || /[^\x21-\x7e]/.test(value)) {
    throw new SampanError("unavailable", `Cannot authenticate: ${host} answered without a token`);
  }
  // The specification: 60 s when not told; a token is not used in its last seconds.
  const seconds = Math.max(60, parsed.data?.expires_in ?? 60);
  return { value, expires: Date.now() + (seconds - 5) * 1000 };
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

/** The Authorization header of name and password (RFC 7617). */
export function basic(auth: RegistryAuth): string {
  return `Basic ${Buffer.from(`${auth.username}:${auth.password ?? ""}`).toString("base64")}`;
}
