import { readFile } from "node:fs/promises";
import { isAbsolute } from "node:path";
import * as z from "zod";
import { messageOf, SampanError } from "../../errors/index.ts";
import type { ApiContext } from "../context.ts";
import { queryOf } from "../http/answers.ts";
import { departure } from "../http/departure.ts";
import type { Api } from "../http/fastify.ts";
import { parseListenAddress } from "../requests/listen-address.ts";
import { readQuery, text } from "../requests/query.ts";
import { parseRegistryAuth } from "../requests/registry-auth.ts";
import type { ServeLine } from "../shapes/registry.ts";

const serveQuery = z.object({ listen: text(), proxy: text(), cert: text(), key: text() });

/**
 * POST /registry/serve: the local store as a read-only registry, for as long as the answer is read. Not Docker's. It lives in
 * the daemon, which alone knows what is being removed and fetched, and ends with the connection of whoever wanted it.
 */
export function registryRoutes(app: Api, { engine, leaving }: ApiContext): void {
  app.post("/registry/serve", async (request, reply) => {
    const { listen, proxy, cert, key } = readQuery(serveQuery, queryOf(request));
    const signal = departure(request.raw, reply.raw, leaving);
    const say = (line: ServeLine) => {
      // Who does not read misses lines; what is served goes on.
      if (!reply.raw.writableNeedDrain && !reply.raw.destroyed) reply.raw.write(`${JSON.stringify(line)}\n`);
    };
    const server = await engine.images.serve({
      ...parseListenAddress(listen),
      tls: await readTls(cert, key),
      proxy:
        proxy === undefined ? undefined : { url: proxy, auth: parseRegistryAuth(request.headers["x-registry-auth"]) },
      served: say,
    });
    reply.hijack();
    reply.raw.writeHead(200, { "Content-Type": "application/x-ndjson" });
    say({ address: server.address });
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    await server.close();
    reply.raw.end();
  });
}

/** Certificate and key in PEM from files of the daemon's machine. */
async function readTls(cert: string | undefined, key: string | undefined) {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined || !isAbsolute(cert) || !isAbsolute(key)) {
    throw new SampanError(
      "invalid",
      "Cannot serve images by TLS: wanted the absolute paths of a certificate and its key",
    );
  }
  const read = (path: string) =>
    readFile(path, "utf8").catch((cause) => {
      throw new SampanError("invalid", `Cannot serve images by TLS: ${messageOf(cause)}`, { cause });
    });
  return { cert: await read(cert), key: await read(key) };
}
