import * as z from "zod";
import type { PushedTag } from "../../images/types.ts";
import type { ApiContext } from "../context.ts";
import { jsonOf, queryOf } from "../http/answers.ts";
import { departure } from "../http/departure.ts";
import type { ApiReply, ApiRequest } from "../http/fastify.ts";
import { imageReference, platformOf } from "../requests/image-reference.ts";
import { readQuery, text } from "../requests/query.ts";
import { credentials, parseRegistryAuth } from "../requests/registry-auth.ts";
import type { ProgressLine } from "../shapes/image.ts";
import { report } from "./image-transfers.ts";

/** `compression` is not Docker's. */
const pushQuery = z.object({
  tag: text(),
  platform: text(),
  compression: z.enum(["none", "gzip", "zstd"], "compression must be none, gzip or zstd").optional(),
});

/** POST /images/{name}/push: one tag, or all of the repository's when none is named. */
export async function pushImage(
  { engine, leaving }: ApiContext,
  name: string,
  request: ApiRequest,
  reply: ApiReply,
): Promise<void> {
  const { tag, platform, compression } = readQuery(pushQuery, queryOf(request));
  const header = request.headers["x-registry-auth"];
  // Old clients send their credentials as the body; none at all means an anonymous push, which some registries take.
  const auth =
    header === undefined ? credentials(await jsonOf(request).catch(() => undefined)) : parseRegistryAuth(header);
  const signal = departure(request.raw, reply.raw, leaving);
  await report(reply, async (writer) => {
    await engine.images.push({
      reference: imageReference(name, tag),
      allTags: tag === undefined && !/:[^/]*$/.test(name),
      platform: platformOf(platform),
      compression,
      auth,
      progress: (step) => writer.progress(step),
      pushed: (pushed) => {
        for (const aux of resultsOf(pushed)) writer.line({ progressDetail: {}, aux });
      },
      signal,
    });
  });
}

function resultsOf({ tag, digest, size, mediaType, partOf }: PushedTag): NonNullable<ProgressLine["aux"]>[] {
  const result = { Tag: tag, Digest: digest, Size: size };
  if (partOf === undefined) return [result];
  const originalIndex = { mediaType: partOf.mediaType, digest: partOf.digest, size: partOf.bytes.byteLength };
  const selectedManifest = { mediaType, digest, size };
  return [{ manifestPushedInsteadOfIndex: true, originalIndex, selectedManifest }, result];
}
