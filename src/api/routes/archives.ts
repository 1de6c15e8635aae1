import { pipeline } from "node:stream/promises";
import * as z from "zod";
import { SampanError } from "../../errors/index.ts";
import type { ApiContext } from "../context.ts";
import { pathOf, queryOf, sendEmpty, sendJson } from "../http/answers.ts";
import { encoder, negotiateEncoding } from "../http/encoding.ts";
import type { Api, ApiReply, ApiRequest } from "../http/fastify.ts";
import { uploaded } from "../http/uploaded.ts";
import { flag, readQuery, text } from "../requests/query.ts";
import type { ContainerChange } from "../shapes/container-change.ts";
import { pathStatHeader } from "../views/path-stat.ts";

const pathQuery = z.object({ path: text() });
const extractQuery = z.object({ path: text(), noOverwriteDirNonDir: flag(), copyUIDGID: flag() });

const header = "X-Docker-Container-Path-Stat";

/** Files of containers: looked at, copied out, copied in, exported, compared with the image. */
export function archiveRoutes(app: Api, { engine }: ApiContext): void {
  const { files } = engine;
  app.route({
    method: "HEAD",
    url: "/containers/:id/archive",
    handler: async (request, reply) => {
      const at = await files.stat(idOf(request), wantedPath(readQuery(pathQuery, queryOf(request))));
      reply.raw.setHeader(header, pathStatHeader(at));
      sendEmpty(reply, 200);
    },
  });
  app.get("/containers/:id/archive", async (request, reply) => {
    const { at, tar } = await files.read(idOf(request), wantedPath(readQuery(pathQuery, queryOf(request))));
    reply.raw.setHeader(header, pathStatHeader(at));
    await sendArchive(reply, tar, request.headers["accept-encoding"]);
  });
  app.put("/containers/:id/archive", async (request, reply) => {
    const { noOverwriteDirNonDir, copyUIDGID, ...rest } = readQuery(extractQuery, queryOf(request));
    const wanted = { path: wantedPath(rest), noOverwriteDirNonDir, copyUidGid: copyUIDGID };
    try {
      await files.write(idOf(request), wanted, uploaded(request.raw));
      sendEmpty(reply, 200);
    } finally {
      // What a refused archive still sends is in the way of the connection's next request.
      request.raw.resume();
    }
  });
  app.get("/containers/:id/export", async (request, reply) => {
    await sendArchive(reply, await files.export(idOf(request)), undefined, "application/octet-stream");
  });
  app.get("/containers/:id/changes", async (request, reply) => {
    const changes = await files.changes(idOf(request));
    const answer = changes.map(({ path, kind }): ContainerChange => ({ Path: path, Kind: kind }));
    // Go's empty list.
    sendJson(reply, answer.length === 0 ? null : answer);
  });
}

/** Sends an archive as it comes, no faster than the client reads. A failure half-way breaks the connection. */
export async function sendArchive(
  reply: ApiReply,
  tar: AsyncGenerator<Uint8Array>,
  accepted: string | undefined,
  type = "application/x-tar",
): Promise<void> {
  // The first piece may fail, and that can still be a status code.
  const first = await tar.next();
  async function* all(): AsyncGenerator<Uint8Array> {
    if (!first.done) yield first.value;
    yield* tar;
  }
  const encoding = negotiateEncoding(accepted);
  const transform = encoder(encoding);
  try {
    reply.hijack();
    reply.raw.writeHead(200, {
      "Content-Type": type,
      ...(encoding !== "identity" && { "Content-Encoding": encoding }),
    });
    if (transform === undefined) await pipeline(all, reply.raw);
    else await pipeline(all, transform, reply.raw);
  } catch (error) {
    reply.raw.destroy();
    // A client that has left knows; anything else is told to the log by whoever catches it.
    if ((error as NodeJS.ErrnoException).code !== "ERR_STREAM_PREMATURE_CLOSE") throw error;
  } finally {
    // Even when nothing more was asked of it: the archive keeps its container as it is.
    await tar.return(undefined);
  }
}

function wantedPath({ path }: { readonly path: string | undefined }): string {
  if (path !== undefined) return path;
  throw new SampanError("invalid", "bad parameter: 'path' cannot be empty");
}

function idOf(request: ApiRequest): string {
  return pathOf(request).id ?? "";
}
