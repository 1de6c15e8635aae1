import { type Challenge, parseChallenges } from "./challenge.ts";
import { drop, type HttpRequest, type HttpResponse, type Send } from "./http.ts";
import { basic, fetchToken, type Token } from "./token.ts";
import type { RegistryAuth } from "./types.ts";

/**
 * Answers a registry's challenges. Nothing is sent before the registry asks; what it accepted is sent at once from then
 * on. Meant for one repository: all its requests need the same scope. `scopes` ("repository:a/b:pull,push") are asked
 * for besides the one of the challenge, so that one token serves all. A 401 that cannot be answered is the result.
 */
export function withAuth(send: Send, auth: RegistryAuth, scopes: readonly string[] = []): Send {
  let challenge: Challenge | undefined;
  let token: Promise<Token> | undefined;

  const header = async (request: HttpRequest): Promise<string | undefined> => {
    if (auth.registrytoken) return `Bearer ${auth.registrytoken}`;
    if (challenge?.scheme === "basic") return auth.username ? basic(auth) : undefined;
    if (challenge?.scheme !== "bearer") return undefined;
    if (token !== undefined && (await token).expires <= Date.now()) token = undefined;
    // Requests that meet the challenge at the same time share one token; a failure is not remembered.
    token ??= fetchToken(send, challenge, auth, request).catch((error) => {
      token = undefined;
      throw error;
    });
    return `Bearer ${(await token).value}`;
  };

  return async (request) => {
    const sent = await header(request);
    const response = await send(authorized(request, sent));
    if (response.status !== 401) return response;
    const wanted = choose(response);
    if (wanted === undefined) return response;
    // Unless another request has replaced it meanwhile.
    if (sent !== undefined && token !== undefined && `Bearer ${(await token).value}` === sent) token = undefined;
    challenge = withScopes(wanted, scopes);
    const answer = await header(request);
    if (answer === undefined || answer === sent) return response;
    if (request.limit === undefined) drop(response);
    return await send(authorized(request, answer));
  };
}

function authorized(request: HttpRequest, authorization: string | undefined): HttpRequest {
  return authorization === undefined ? request : { ...request, headers: { ...request.headers, authorization } };
}

/** The challenge with further scopes, those of the same resource in place of its own. */
function withScopes(challenge: Challenge, scopes: readonly string[]): Challenge {
  if (scopes.length === 0 || challenge.scheme !== "bearer") return challenge;
  const own = (challenge.parameters.get("scope") ?? "").split(" ").filter((scope) => scope !== "");
  const resources = new Set(scopes.map(resourceOf));
  const all = [...scopes, ...own.filter((scope) => !resources.has(resourceOf(scope)))];
  return { ...challenge, parameters: new Map([...challenge.parameters, ["scope", all.join(" ")]]) };
}

/** "repository:a/b" of "repository:a/b:pull". */
function resourceOf(scope: string): string {
  return scope.slice(0, Math.max(0, scope.lastIndexOf(":")));
}

/** The strongest challenge we can answer. */
function choose({ headers }: HttpResponse): Challenge | undefined {
  const challenges = parseChallenges(headers["www-authenticate"] ?? "");
  return challenges.find(({ scheme }) => scheme === "bearer") ?? challenges.find(({ scheme }) => scheme === "basic");
}
