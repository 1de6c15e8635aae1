import * as z from "zod";
import { SampanError } from "../../errors/index.ts";
import type { LoadedImage, Progress } from "../../images/types.ts";
import type { ApiContext } from "../context.ts";
import { queryOf } from "../http/answers.ts";
import { departure } from "../http/departure.ts";
import type { Api, ApiReply } from "../http/fastify.ts";
import { ProgressWriter } from "../http/progress-writer.ts";
import { imageReference, onlyPlatform, platformOf } from "../requests/image-reference.ts";
import { flag, readQuery, text } from "../requests/query.ts";
import { parseRegistryAuth } from "../requests/registry-auth.ts";
import { importImage } from "./making.ts";

const createQuery = z.object({ fromImage: text(), fromSrc: text(), tag: text(), platform: text() });
const loadQuery = z.object({ quiet: flag(true) });

/** Pull and load: long work whose progress is the answer. */
export function imageTransferRoutes(app: Api, { engine, leaving }: ApiContext): void {
  app.post("/images/create", async (request, reply) => {
    const { fromImage, fromSrc, tag, platform } = readQuery(createQuery, queryOf(request));
    if (fromSrc !== undefined) {
      await importImage(engine, request, reply, departure(request.raw, reply.raw, leaving));
      return;
    }
    if (fromImage === undefined)
      throw new SampanError("invalid", "Cannot pull: the parameter fromImage names no image");
    const reference = imageReference(fromImage, tag);
    const signal = departure(request.raw, reply.raw, leaving);
    await report(reply, async (writer) => {
      const wanted = {
        reference,
        platform: platformOf(platform),
        auth: parseRegistryAuth(request.headers["x-registry-auth"]),
        progress: (step: Progress) => writer.progress(step),
        signal,
      };
      if (tag === undefined && !isVersioned(fromImage)) await engine.images.pullAll(wanted);
      else await engine.images.pull(wanted);
    });
  });
  app.post("/images/load", async (request, reply) => {
    const { quiet } = readQuery(loadQuery, queryOf(request));
    const platform = onlyPlatform(queryOf(request).getAll("platform"));
    const signal = departure(request.raw, reply.raw, leaving);
    // What a refused archive still sends is in the way of the connection's next request.
    const skipRest = () => request.raw.resume();
    await report(reply, async (writer) => {
      const loaded = await engine.images.load(request.raw.iterator({ destroyOnReturn: false }), {
        progress: (step) => {
          if (!quiet) writer.progress(step);
        },
        platform,
        signal,
      });
      for (const image of loaded) for (const stream of loadedLines(image)) writer.line({ stream });
    }).finally(skipRest);
  });
}

/** Whether a name says a tag or a digest: without either all tags of the repository are meant, as dockerd has it. */
function isVersioned(name: string): boolean {
  return /[:@]/.test(name.slice(name.lastIndexOf("/") + 1));
}

function loadedLines({ image, names }: LoadedImage): string[] {
  if (names.length === 0) return [`Loaded image ID: ${image.id}\n`];
  return names.map((name) => `Loaded image: ${name}\n`);
}

/** Runs work that reports lines. A failure before the first line is thrown, later it becomes a line. */
export async function report(reply: ApiReply, work: (writer: ProgressWriter) => Promise<void>): Promise<void> {
  const writer = new ProgressWriter(reply.raw);
  try {
    await work(writer);
    reply.hijack();
    writer.end();
  } catch (error) {
    if (!writer.begun) throw error;
    reply.hijack();
    writer.fail(error);
  }
}
