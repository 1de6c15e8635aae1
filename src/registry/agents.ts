import { Agent } from "node:http";
import type { Agent as TlsAgent } from "node:https";
import { type Certificates, certificatesOf } from "./certificates.ts";
import { isLoopback } from "./hosts.ts";

/** What decides with which connections a request may share. */
interface Asked {
  readonly url: URL;
  /** Certificates are not checked. */
  readonly insecure: boolean;
}

/** Connections to registries that are kept, apart by what they were made with: certificates of registries among it. */
export class Agents {
  readonly #directories: readonly string[];
  readonly #idleTimeout: number;
  /** By what they were made with. */
  readonly #agents = new Map<string, Agent>();
  /** By registries that have certificates of their own, the key of the agent that has those. */
  readonly #own = new Map<string, string>();

  /** `directories` have the certificates of registries, see `certificatesOf`; `idleTimeout` is in ms. */
  constructor(directories: readonly string[], idleTimeout: number) {
    this.#directories = directories;
    this.#idleTimeout = idleTimeout;
  }

  /** The agent for a request; connections made with certificates that the registry no longer has are not kept. */
  async for({ url, insecure }: Asked): Promise<Agent> {
    const tls = url.protocol === "https:" ? await loadTls() : undefined;
    const own = tls === undefined ? undefined : certificatesOf(url.host, this.#directories);
    const loopback = isLoopback(url.hostname);
    const key = `${url.protocol} ${insecure} ${loopback} ${own === undefined ? "" : JSON.stringify(own)}`;
    this.#uses(`${url.host} ${insecure}`, own === undefined ? undefined : key);
    const known = this.#agents.get(key);
    if (known !== undefined) return known;
    // As Go does it: HTTP_PROXY and friends hold for everything but loopback.
    const proxies = loopback ? {} : { proxyEnv: process.env };
    const common = { keepAlive: true, timeout: this.#idleTimeout, ...proxies };
    const agent = tls === undefined ? new Agent(common) : tlsAgent(tls, { ...common, ...own?.client }, insecure, own);
    this.#agents.set(key, agent);
    return agent;
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
  }

  #uses(registry: string, key: string | undefined): void {
    const former = this.#own.get(registry);
    if (former === key) return;
    if (key === undefined) this.#own.delete(registry);
    else this.#own.set(registry, key);
    if (former === undefined || [...this.#own.values()].includes(former)) return;
    const agent = this.#agents.get(former);
    this.#agents.delete(former);
    if (agent !== undefined) retire(agent);
  }
}

/** Ends connections as soon as no request uses them. */
function retire(agent: Agent): void {
  agent.maxFreeSockets = 0;
  for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
}

/** TLS is loaded when first needed: it costs tens of milliseconds that a loopback registry never asks for. */
async function loadTls() {
  const [{ Agent: HttpsAgent }, { getCACertificates }] = await Promise.all([import("node:https"), import("node:tls")]);
  return { HttpsAgent, getCACertificates };
}

function tlsAgent(
  { HttpsAgent, getCACertificates }: Awaited<ReturnType<typeof loadTls>>,
  options: object,
  insecure: boolean,
  own: Certificates | undefined,
): TlsAgent {
  if (insecure) return new HttpsAgent({ ...options, rejectUnauthorized: false });
  // The machine's own certificates count too, as they do for every other engine.
  const ca = [...getCACertificates("default"), ...getCACertificates("system"), ...(own?.ca ?? [])];
  return new HttpsAgent({ ...options, ca });
}
