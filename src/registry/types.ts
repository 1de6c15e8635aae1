import type { Digest } from "../storage/digest.ts";

/** A parsed image name. Exactly what Docker's grammar knows; `parseReference` is the only maker. */
export interface Reference {
  /** Registry host and port; "docker.io" when none was written. */
  readonly domain: string;
  /** Repository; "library/debian" for "debian". */
  readonly path: string;
  /** "latest" when neither tag nor digest was written. */
  readonly tag?: string;
  readonly digest?: Digest;
  /** Repository as people write it: "debian", "quay.io/a/b". */
  readonly familiarName: string;
  /** All of it as people write it: "debian:latest", "debian@sha256:…". */
  readonly familiar: string;
  /** All of it in full: "docker.io/library/debian:latest". */
  readonly canonical: string;
}

/** Credentials as clients send them in X-Registry-Auth. `identitytoken` is an OAuth2 refresh token. */
export interface RegistryAuth {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly serveraddress?: string | undefined;
  readonly identitytoken?: string | undefined;
  readonly registrytoken?: string | undefined;
}
