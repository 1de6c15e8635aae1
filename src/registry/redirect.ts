import { SampanError } from "../errors/index.ts";
import { drop, type HttpRequest, type Send } from "./http.ts";

const limit = 10;

/**
 * Follows redirects of GET and HEAD. Credentials are never sent to another origin, and a registry spoken to over TLS
 * cannot send us to a place without.
 */
export function withRedirects(send: Send): Send {
  return async (first) => {
    let request: HttpRequest = first;
    for (let hops = 0; hops <= limit; hops++) {
      const response = await send(request);
      const location = response.headers.location;
      if (![301, 302, 303, 307, 308].includes(response.status) || location === undefined) return response;
      if (request.method !== "GET" && request.method !== "HEAD") return response;
      if (request.limit === undefined) drop(response);
      request = redirected(request, location);
    }
    throw new SampanError("unavailable", `Cannot fetch ${first.url.href}: more than ${limit} redirects`);
  };
}

function redirected(request: HttpRequest, location: string): HttpRequest {
  const url = URL.parse(location, request.url);
  const from = `Cannot follow the redirect of ${request.url.host} to ${JSON.stringify(location.slice(0, 200))}`;
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw new SampanError("unavailable", `${from}: not an HTTP address`);
  }
  if (url.protocol === "http:" && !request.insecure) {
    throw new SampanError("denied", `${from}: it leaves TLS; list the registry as insecure to allow that`);
  }
  if (url.origin === request.url.origin) return { ...request, url };
  const { authorization: _, ...headers } = request.headers;
  return { ...request, url, headers };
}
