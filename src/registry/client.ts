import { withAuth } from "./auth.ts";
import { httpCore, type Send } from "./http.ts";
import { findOrigin, type Origin } from "./origin.ts";
import { PushRepository } from "./push-repository.ts";
import { withRedirects } from "./redirect.ts";
import { atRepository, firstOf, Repository, type RepositorySend } from "./repository.ts";
import { type Patience, usualPatience, withRetry } from "./retry.ts";
import { type Exchange, withTrace } from "./trace.ts";
import type { Reference, RegistryAuth } from "./types.ts";

export interface RegistryOptions {
  /** "host", "host:port" or "network/bits" that may be spoken to without (verified) TLS. Loopback always may. */
  readonly insecureRegistries?: readonly string[] | undefined;
  /** Per domain, hosts to ask first. A mirror that fails or lacks something is passed over. */
  readonly mirrors?: Readonly<Record<string, readonly string[]>> | undefined;
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
  readonly #close: () => void;
  readonly #origins = new Map<string, Promise<Origin>>();

  constructor(options: RegistryOptions = {}) {
    this.#options = options;
    const core = httpCore();
    this.#close = core.close;
    this.#send = withRedirects(options.trace ? withTrace(core.send, options.trace) : core.send);
  }

  /** The repository of a reference. Credentials go to its registry only, never to a mirror. */
  async repository(reference: Reference, auth: RegistryAuth = {}, signal?: AbortSignal): Promise<Repository> {
    const { domain, path } = reference;
    const mirrors = this.#options.mirrors?.[domain] ?? [];
    const sends = mirrors.map((mirror) => this.#lazily(mirror, path, {}, signal));
    sends.push(await this.#at(domain, path, auth, signal));
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
      readonly signal?: AbortSignal | undefined;
    } = {},
  ): Promise<PushRepository> {
    const { auth = {}, sources = [], signal } = options;
    const { url, insecure } = await this.#origin(reference.domain, signal);
    const scopes = [`${reference.path}:pull,push`, ...sources.map((path) => `${path}:pull`)];
    const scoped = scopes.map((scope) => `repository:${scope}`);
    const authorized = withAuth(this.#send, auth, scoped);
    // A registry may have blobs sent elsewhere; its credentials do not go there.
    const send: Send = (request) => (request.url.origin === url.origin ? authorized(request) : this.#send(request));
    const patience = this.#options.patience ?? usualPatience;
    return new PushRepository(reference, { base: url, insecure, once: send, send: withRetry(send, patience) });
  }

  /** Drops idle connections. */
  close(): void {
    this.#close();
  }

  #lazily(domain: string, path: string, auth: RegistryAuth, signal: AbortSignal | undefined): RepositorySend {
    let made: Promise<RepositorySend> | undefined;
    return async (request) => {
      made ??= this.#at(domain, path, auth, signal);
      return (await made)(request);
    };
  }

  async #at(
    domain: string,
    path: string,
    auth: RegistryAuth,
    signal: AbortSignal | undefined,
  ): Promise<RepositorySend> {
    const origin = await this.#origin(domain, signal);
    const send = withRetry(withAuth(this.#send, auth), this.#options.patience ?? usualPatience);
    return atRepository(send, origin.url, path, origin.insecure);
  }

  #origin(domain: string, signal: AbortSignal | undefined): Promise<Origin> {
    const known = this.#origins.get(domain);
    if (known !== undefined) return known;
    const found = findOrigin(this.#send, domain, this.#options.insecureRegistries ?? [], signal);
    this.#origins.set(domain, found);
    found.then(
      // A loopback or insecure registry may be restarted with or without TLS; asking again costs little there.
      (origin) => origin.insecure && this.#origins.delete(domain),
      () => this.#origins.delete(domain),
    );
    return found;
  }
}
