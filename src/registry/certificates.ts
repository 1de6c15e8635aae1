import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf, SampanError } from "../errors/index.ts";

/** What TLS with one registry takes besides the machine's own authorities. PEM. */
export interface Certificates {
  readonly ca: readonly string[];
  /** Who we are, for registries that want to know. */
  readonly client: { readonly cert: string; readonly key: string } | undefined;
}

/** Where certificates of registries may be: our own configuration's, and Docker's. */
export function certificateDirectories(configDirectory: string): string[] {
  return [join(configDirectory, "certs.d"), "/etc/docker/certs.d"];
}

/**
 * Certificates of a registry ("host" or "host:port") as Docker keeps them: in `<directory>/<host:port>/`, `*.crt` is an
 * authority and `NAME.cert` with `NAME.key` are the client's. The first directory that has the registry counts; undefined
 * when none does. Errors are of kind "invalid".
 */
export function certificatesOf(domain: string, directories: readonly string[]): Certificates | undefined {
  for (const directory of directories) {
    const own = join(directory, domain);
    const names = namesIn(own);
    if (names === undefined) continue;
    const read = (name: string): string => {
      try {
        return readFileSync(join(own, name), "utf8");
      } catch (cause) {
        throw new SampanError("invalid", `Cannot use the certificates of ${domain}: ${messageOf(cause)}`, { cause });
      }
    };
    const [cert] = names.filter((name) => name.endsWith(".cert")).sort();
    const key = cert?.replace(/\.cert$/, ".key");
    if (key !== undefined && !names.includes(key)) {
      throw new SampanError(
        "invalid",
        `Cannot use the certificates of ${domain}: ${join(own, cert ?? "")} has no ${key} beside it`,
      );
    }
    const client = cert === undefined || key === undefined ? undefined : { cert: read(cert), key: read(key) };
    return {
      ca: names
        .filter((name) => name.endsWith(".crt"))
        .sort()
        .map(read),
      client,
    };
  }
  return undefined;
}

function namesIn(directory: string): string[] | undefined {
  try {
    return readdirSync(directory);
  } catch {
    return undefined;
  }
}
