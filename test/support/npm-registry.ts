import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A registry as npm asks one, on a free port of loopback. */
export interface NpmRegistry {
  /** "http://127.0.0.1:40123". */
  readonly url: string;
  /** "GET /name" of every request so far. */
  readonly seen: readonly string[];
  close(): Promise<void>;
}

/** What it has, by name: version 1.0.0 of each. `token` is what everybody has to bring. */
export async function startNpmRegistry(
  packages: Readonly<Record<string, { readonly tgz: Buffer; readonly integrity: string }>>,
  token: string,
): Promise<NpmRegistry> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    const { method, url: path = "", headers } = request;
    seen.push(`${method} ${path}`);
    const [, name = "", rest] = /^\/([^/]+)(\/-\/.*)?$/.exec(path) ?? [];
    const found = packages[name];
    if (headers.authorization !== `Bearer ${token}`) response.writeHead(401).end();
    else if (found === undefined) response.writeHead(404).end("{}");
    else if (rest !== undefined) response.end(found.tgz);
    else {
      const dist = { tarball: `${url}/${name}/-/${name}-1.0.0.tgz`, integrity: found.integrity };
      const versions = { "1.0.0": { name, version: "1.0.0", dist } };
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ name, "dist-tags": { latest: "1.0.0" }, versions }));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
