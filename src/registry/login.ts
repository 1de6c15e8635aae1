import { SampanError } from "../errors/index.ts";
import { withAuth } from "./auth.ts";
import { certificateDirectories } from "./certificates.ts";
import type { RegistryOptions } from "./client.ts";
import { failure } from "./failure.ts";
import { hostOf, isInsecure } from "./hosts.ts";
import { httpCore } from "./http.ts";
import { findOrigin } from "./origin.ts";
import { withRedirects } from "./redirect.ts";
import { RegistriesFile } from "./settings.ts";
import type { RegistryAuth } from "./types.ts";

/** Docker Hub's index stands for its registry: what `docker login` without a server sends. */
const hub = "docker.io";

/**
 * Asks the registry that `serveraddress` names (docker.io when none) whether it takes the credentials; rejects with
 * "denied" when it does not. Nothing is kept.
 */
export async function checkLogin(
  auth: RegistryAuth,
  {
    insecureRegistries = [],
    configDirectory,
    signal,
  }: Pick<RegistryOptions, "insecureRegistries" | "configDirectory"> & { signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const domain = domainOf(auth.serveraddress);
  const core = httpCore(configDirectory === undefined ? [] : certificateDirectories(configDirectory));
  try {
    const send = withRedirects(core.send);
    const listed = configDirectory !== undefined && new RegistriesFile(configDirectory).of(domain).insecure;
    const isListed = listed || isInsecure(hostOf(domain), insecureRegistries);
    const { url, insecure } = await findOrigin(send, domain, isListed, signal);
    const request = { method: "GET", url: new URL("/v2/", url), headers: {}, insecure, limit: 64 * 1024, signal };
    const response = await withAuth(send, auth)(request as Parameters<typeof send>[0]);
    if (response.status === 200) return;
    if (response.status === 401) {
      throw new SampanError("denied", `Get "${url}v2/": unauthorized: incorrect username or password`);
    }
    throw failure(response, `log in to ${domain}`);
  } finally {
    core.close();
  }
}

/** The host of "https://index.docker.io/v1/", "registry.example:5000" and the like. */
export function domainOf(address = ""): string {
  const host = address.replace(/^[a-z]+:\/\//i, "").replace(/\/.*$/, "");
  return host === "" || host === "index.docker.io" || host === "registry-1.docker.io" ? hub : host;
}
