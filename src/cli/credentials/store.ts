import { type ConfigFile, type Credentials, configPath, readConfig, type StoredAuth, writeConfig } from "./file.ts";
import { CredentialHelper } from "./helper.ts";

/** Docker Hub's key, older than everything. */
export const hub = "https://index.docker.io/v1/";

/** What users are logged in to: in the config file, or with a helper that it names. */
export class CredentialStore {
  readonly path: string;
  readonly #config: ConfigFile;

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.path = configPath(env);
    this.#config = readConfig(this.path);
  }

  /** Where a server's credentials are kept in the clear: with no helper in charge. */
  isPlain(server: string): boolean {
    return this.#helper(server) === undefined;
  }

  get(server: string): Credentials | undefined {
    const helper = this.#helper(server);
    if (helper !== undefined) return helper.get(server);
    const { auths = {} } = this.#config;
    const key = Object.hasOwn(auths, server)
      ? server
      : Object.keys(auths).find((name) => hostOf(name) === hostOf(server));
    return key === undefined ? undefined : decoded(server, auths[key] ?? {});
  }

  /** All servers that somebody is logged in to. */
  get servers(): readonly string[] {
    const { auths = {}, credHelpers = {} } = this.#config;
    return [...new Set([...Object.keys(auths), ...Object.keys(credHelpers)])];
  }

  store(credentials: Credentials): void {
    const { serveraddress: server, username, password, identitytoken } = credentials;
    const helper = this.#helper(server);
    helper?.store(credentials);
    const auth = Buffer.from(`${username}:${password}`).toString("base64");
    const kept: StoredAuth = helper !== undefined ? {} : identitytoken ? { identitytoken } : { auth };
    writeConfig(this.path, { ...this.#config, auths: { ...this.#config.auths, [server]: kept } });
  }

  /** Whether there was something to forget. */
  erase(server: string): boolean {
    const { auths = {} } = this.#config;
    const known = Object.hasOwn(auths, server);
    this.#helper(server)?.erase(server);
    if (known) {
      const others = Object.fromEntries(Object.entries(auths).filter(([name]) => name !== server));
      writeConfig(this.path, { ...this.#config, auths: others });
    }
    return known;
  }

  #helper(server: string): CredentialHelper | undefined {
    const { credsStore, credHelpers = {} } = this.#config;
    const own = credHelpers[server] ?? credHelpers[hostOf(server)];
    const name = own || credsStore;
    return name ? new CredentialHelper(name) : undefined;
  }
}

/** The server as the config file names it. */
export function serverKey(server: string | undefined): string {
  if (server === undefined || server === "" || /^(https?:\/\/)?(index\.)?docker\.io(\/|$)/.test(server)) return hub;
  return hostOf(server);
}

/** The server of an image's name. */
export function serverOf(image: string): string {
  const slash = image.indexOf("/");
  const first = image.slice(0, Math.max(slash, 0));
  return /[.:A-Z]/.test(first) || first === "localhost" ? serverKey(first) : hub;
}

/** A server without scheme and path: how older files name registries. */
function hostOf(server: string): string {
  return server.replace(/^https?:\/\//, "").replace(/\/.*$/s, "");
}

function decoded(server: string, { auth = "", identitytoken }: StoredAuth): Credentials | undefined {
  if (identitytoken) return { username: "", password: "", serveraddress: server, identitytoken };
  const text = Buffer.from(auth, "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon < 0) return undefined;
  return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, ""), serveraddress: server };
}

/** The credentials for an image's registry as the API takes them, in a header. */
export function registryAuth(image: string, env: Readonly<Record<string, string | undefined>>): string | undefined {
  return encoded(new CredentialStore(env).get(serverOf(image)));
}

/** The same for a registry by its address. */
export function registryAuthOf(address: string, env: Readonly<Record<string, string | undefined>>): string | undefined {
  const isHub = /^(https?:\/\/)?registry-1\.docker\.io(\/|$)/.test(address);
  return encoded(new CredentialStore(env).get(isHub ? hub : serverKey(address)));
}

function encoded(found: Credentials | undefined): string | undefined {
  return found === undefined ? undefined : Buffer.from(JSON.stringify(found)).toString("base64url");
}

/** The credentials for all registries, as a build takes them in a header; undefined when there are none. */
export function registryConfig(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const store = new CredentialStore(env);
  const found = store.servers.flatMap((server) => {
    const credentials = store.get(server);
    return credentials === undefined ? [] : [[server, credentials] as const];
  });
  if (found.length === 0) return undefined;
  return Buffer.from(JSON.stringify(Object.fromEntries(found))).toString("base64url");
}
