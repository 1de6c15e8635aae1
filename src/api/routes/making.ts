import * as z from "zod";
import type { Engine } from "../../engine/types.ts";
import { fetchUrl } from "../../images/fetch-url.ts";
import type { ApiContext } from "../context.ts";
import { jsonOf, queryOf, sendJson } from "../http/answers.ts";
import type { Api, ApiReply, ApiRequest } from "../http/fastify.ts";
import { ProgressWriter } from "../http/progress-writer.ts";
import { uploaded } from "../http/uploaded.ts";
import { parseCommitConfig } from "../requests/commit-config.ts";
import { imageReference, platformOf } from "../requests/image-reference.ts";
import { flag, readQuery, text } from "../requests/query.ts";

const commitQuery = z.object({
  container: text(),
  repo: text(),
  tag: text(),
  comment: text(),
  author: text(),
  pause: flag(true),
});
const importQuery = z.object({ fromSrc: text(), repo: text(), tag: text(), message: text(), platform: text() });

/** Images made of containers. */
export function makingRoutes(app: Api, { engine }: ApiContext): void {
  app.post("/commit", async (request, reply) => {
    const query = queryOf(request);
    const { container = "", repo, tag, comment = "", author = "", pause } = readQuery(commitQuery, query);
    const Id = await engine.images.commit({
      container,
      reference: repo === undefined ? undefined : imageReference(repo, tag),
      author,
      comment,
      pause,
      changes: query.getAll("changes"),
      config: parseCommitConfig(await jsonOf(request)),
    });
    sendJson(reply, { Id }, 201);
  });
}

/** POST /images/create with fromSrc: an image of an archive, which is the body or lies at a URL. */
export async function importImage(
  { images }: Pick<Engine, "images">,
  request: ApiRequest,
  reply: ApiReply,
  signal: AbortSignal,
): Promise<void> {
  const query = queryOf(request);
  const { fromSrc = "-", repo, tag, message, platform } = readQuery(importQuery, query);
  const wanted = {
    reference: repo === undefined ? undefined : imageReference(repo, tag),
    comment: message ?? `Imported from ${fromSrc}`,
    changes: query.getAll("changes"),
    platform: platformOf(platform),
    signal,
  };
  const writer = new ProgressWriter(reply.raw);
  try {
    await using fetched = fromSrc === "-" ? undefined : await fetchUrl(urlOf(fromSrc), signal);
    const status = await images.import(wanted, fetched?.body ?? uploaded(request.raw));
    reply.hijack();
    writer.line({ status });
    writer.end();
  } finally {
    // What a refused archive still sends is in the way of the connection's next request.
    request.raw.resume();
  }
}

const urlOf = (source: string): string => (/^https?:\/\//.test(source) ? source : `http://${source}`);
