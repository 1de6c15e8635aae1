import type { DatabaseSync } from "node:sqlite";
import { SampanError } from "../../errors/index.ts";
import { domainOf } from "../../registry/login.ts";
import type { RegistryAuth } from "../../registry/types.ts";
import type { ImageTools } from "../tools.ts";
import { LocalOrigin } from "./local.ts";
import { ProxyOrigin } from "./proxy.ts";
import { ProxyCache } from "./proxy-cache.ts";
import { type RegistryServer, type ServeOptions, serveRegistry } from "./server.ts";

export interface ServeImages extends ServeOptions {
  /** Where to fetch what is not here. */
  readonly proxy?: { readonly url: string; readonly auth?: RegistryAuth | undefined } | undefined;
}

/** ms between two looks for what the cache has kept for too long. */
const expireEvery = 3600 * 1000;

/** Serves the images that are here; with a proxy those of another registry, too, which are kept for a week after use. */
export async function serveImages(
  tools: ImageTools,
  db: DatabaseSync,
  { proxy, ...options }: ServeImages,
): Promise<RegistryServer> {
  const local = new LocalOrigin(tools);
  if (proxy === undefined) return await serveRegistry(local, options);
  const domain = upstreamOf(tools, proxy.url);
  const cache = new ProxyCache(db, tools);
  await cache.expire();
  const server = await serveRegistry(new ProxyOrigin(tools, local, cache, { domain, auth: proxy.auth }), options);
  const expiring = setInterval(() => cache.expire().catch(() => undefined), expireEvery);
  expiring.unref();
  return {
    address: server.address,
    close: async () => {
      clearInterval(expiring);
      await server.close();
    },
  };
}

/** The registry of an address: "https://registry-1.docker.io" is docker.io. */
function upstreamOf({ registry }: ImageTools, address: string): string {
  const url = URL.parse(/^[a-z]+:\/\//.test(address) ? address : `https://${address}`);
  if (url === null || !["http:", "https:"].includes(url.protocol) || url.pathname !== "/" || url.host === "") {
    const wanted = "wanted the address of a registry, as https://registry-1.docker.io";
    throw new SampanError("invalid", `Cannot be a proxy for ${JSON.stringify(address)}: ${wanted}`);
  }
  const domain = domainOf(url.host);
  if (url.protocol === "http:" && !registry.isInsecure(domain)) {
    throw new SampanError(
      "denied",
      `Cannot be a proxy for ${address}: it has no TLS; list it as insecure to allow that`,
    );
  }
  return domain;
}
