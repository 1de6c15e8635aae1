import { orCancelled } from "../errors/cancel.ts";
import { SampanError } from "../errors/index.ts";
import { withAuth } from "./auth.ts";
import { certificateDirectories } from "./certificates.ts";
import { hostOf, isInsecure } from "./hosts.ts";
import { httpCore, type Send } from "./http.ts";
import { findOrigin, type Origin } from "./origin.ts";
import { PushRepository } from "./push-repository.ts";
import { withRedirects } from "./redirect.ts";
import { atRepository, firstOf, Repository, type RepositorySend } from "./repository.ts";
import { type Patience, usualPatience, withRetry } from "./retry.ts";
import { type FoundRepository, searchIndex, splitTerm } from "./search.ts";
import { RegistriesFile } from "./settings.ts";
import { type Exchange, withTrace } from "./trace.ts";
import type { Reference, RegistryAuth } from "./types.ts";

export interface RegistryOptions {
  /** "host", "host:port" or "network/bits" that may be spoken to without (verified) TLS. Loopback always may. */
  readonly insecureRegistries?: readonly string[] | undefined;
  /** Per domain, hosts to ask first. A mirror that fails or lacks something is passed over. */
  readonly mirrors?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Where `registries.json` and `certs.d` are; see `RegistriesFile` and `certificatesOf`. */
  readonly configDirectory?: string | undefined;
  readonly patience?: Patience | undefined;
  readonly trace?: ((exchange: Exchange) => void) | undefined;
}

/**
 * Speaks to registries. A request passes through, from the outside in:
 *
 *     mirrors → retry → authentication → redirects → trace → one HTTP exchange
 */
export class RegistryClient {
  readonly #options: RegistryOptions;
  readonly #send: Send;
  readonly #file: RegistriesFile | undefined;
  readonly #close: () => void;
  readonly #origins = new Map<string, Promise<Origin>>();

  constructor(options: RegistryOptions = {}) {
    this.#options = options;
    const { configDirectory: directory } = options;
    this.#file = directory === undefined ? undefined : new RegistriesFile(directory);
    const core = httpCore(directory === undefined ? [] : certificateDirectories(directory));
    this.#close = core.close;
    this.#send = withRedirects(options.trace ? withTrace(core.send, options.trace) : core.send);
  }

  /** The repository of a reference. Credentials go to its registry only, never to a mirror. */
  async repository(
    reference: Reference,
    auth: RegistryAuth = {},
    signal?: AbortSignal,
    { insecure = false } = {},
  ): Promise<Repository> {
    const { domain, path } = reference;
    const mirrors = [...(this.#options.mirrors?.[domain] ?? []), ...(this.#file?.of(domain).mirrors ?? [])];
    const sends = mirrors.map((mirror) => this.#mirror(mirror, reference, signal));
    const send = withRetry(withAuth(this.#send, auth), this.#options.patience ?? usualPatience);
    sends.push(atRepository(send, await this.#origin(domain, signal, insecure), path));
    return new Repository(reference, firstOf(sends));
  }

  /**
   * The repository of a reference, to push to; mirrors have no part in that. `sources` are repositories of the same registry
   * that blobs may be taken from.
   */
  async pushRepository(
    reference: Reference,
    options: {
      readonly auth?: RegistryAuth | undefined;
      readonly sources?: readonly string[];
      /** As if the registry were listed. */
      readonly insecure?: boolean | undefined;
      readonly signal?: AbortSignal | undefined;
    } = {},
  ): Promise<PushRepository> {
    const { auth = {}, sources = [], signal } = options;
    const { url, insecure } = await this.#origin(reference.domain, signal, options.insecure);
    const scopes = [`${reference.path}:pull,push`, ...sources.map((path) => `${path}:pull`)];
    const scoped = scopes.map((scope) => `repository:${scope}`);
    const authorized = withAuth(this.#send, auth, scoped);
    // A registry may have blobs sent elsewhere; its credentials do not go there.
    const send: Send = (request) => (request.url.origin === url.origin ? authorized(request) : this.#send(request));
    const patience = this.#options.patience ?? usualPatience;
    return new PushRepository(reference, { base: url, insecure, once: send, send: withRetry(send, patience) });
  }

  /** Repositories whose names or descriptions have a word in them; "host/word" asks another index than Docker's. */
  async search(
    text: string,
    options: {
      readonly count: number;
      readonly auth?: RegistryAuth | undefined;
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<FoundRepository[]> {
    const { domain, term } = splitTerm(text);
    const { count, auth, signal } = options;
    const hub = { url: new URL("https://index.docker.io"), insecure: false };
    const origin = domain === undefined ? hub : await this.#origin(domain, signal);
    const send = withRetry(this.#send, this.#options.patience ?? usualPatience);
    return await searchIndex(send, origin, { term, count, auth }, signal);
  }

  /** Drops idle connections. */
  close(): void {
    this.#close();
  }

  /** It is not asked who it is before it is needed, and gets no credentials. One that is busy is passed over at once. */
  #mirror(mirror: string, { domain, path }: Reference, signal: AbortSignal | undefined): RepositorySend {
    let origin: Promise<Origin> | undefined;
    const send = withAuth(this.#send, {});
    return async (request) => {
      origin ??= this.#mirrorOrigin(mirror, signal);
      return await atRepository(send, await origin, path, domain)(request);
    };
  }

  /** A mirror is "host", "host:port" or has "http://" or "https://" in front. */
  async #mirrorOrigin(mirror: string, signal: AbortSignal | undefined): Promise<Origin> {
    const [, scheme, host = ""] = /^(?:(https?):\/\/)?([^/]+)\/?$/.exec(mirror) ?? [];
    const url = URL.parse(`${scheme ?? "https"}://${host}`);
    if (host === "" || url === null)
      throw new SampanError("invalid", `Cannot use the mirror ${mirror}: wanted host:port`);
    if (scheme === "http") return { url, insecure: true };
    return scheme === undefined ? await this.#origin(host, signal) : { url, insecure: this.isInsecure(host) };
  }

  /** Whether a registry may be spoken to without verified TLS. */
  isInsecure(domain: string): boolean {
    return (
      isInsecure(hostOf(domain), this.#options.insecureRegistries ?? []) || (this.#file?.of(domain).insecure ?? false)
    );
  }

  async #origin(domain: string, signal: AbortSignal | undefined, allowed = false): Promise<Origin> {
    const insecure = allowed || this.isInsecure(domain);
    const key = `${domain} ${insecure}`;
    let found = this.#origins.get(key);
    if (found === undefined) {
      // Everybody waits for the same question, so nobody's signal ends it.
      found = findOrigin(this.#send, domain, insecure);
      this.#origins.set(key, found);
      found.then(
        // A loopback or insecure registry may be restarted with or without TLS; asking again costs little there.
        (origin) => origin.insecure && this.#origins.delete(key),
        () => this.#origins.delete(key),
      );
    }
    return await orCancelled(found, signal);
  }
}
