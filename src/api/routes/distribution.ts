import * as z from "zod";
import { SampanError } from "../../errors/index.ts";
import { parseReference } from "../../registry/reference.ts";
import { type Digest, isDigest } from "../../storage/digest.ts";
import type { ApiContext } from "../context.ts";
import { jsonOf, pathOf, queryOf, sendJson } from "../http/answers.ts";
import { departure } from "../http/departure.ts";
import type { Api, ApiReply, ApiRequest } from "../http/fastify.ts";
import { flag, readQuery } from "../requests/query.ts";
import { parseRegistryAuth } from "../requests/registry-auth.ts";
import { validateJson } from "../requests/validate.ts";
import type { DistributionInspect, RemoteManifest } from "../shapes/image.ts";

const query = z.object({ insecure: flag() });
const indexBody = z.object({
  Manifests: z.array(
    z.object({
      Ref: z.string(),
      Descriptor: z.object({
        mediaType: z.string(),
        digest: z.custom<Digest>((value) => typeof value === "string" && isDigest(value), "not a digest"),
        size: z.number().int().nonnegative(),
        platform: z.record(z.string(), z.unknown()).optional(),
      }),
    }),
  ),
});

/**
 * What a registry has under a name, and indexes of what it has. `json` is Docker's; `manifest` and `index` are for `sampan
 * manifest`, whose docker speaks to registries itself. Names contain slashes, so the verb is what comes last.
 */
export function distributionRoutes(app: Api, { engine, leaving }: ApiContext): void {
  const optionsOf = (request: ApiRequest, reply: ApiReply) => ({
    auth: parseRegistryAuth(request.headers["x-registry-auth"]),
    insecure: readQuery(query, queryOf(request)).insecure,
    signal: departure(request.raw, reply.raw, leaving),
  });
  app.get("/distribution/*", async (request, reply) => {
    const { name, verb } = nameAndVerb(request);
    if (verb === "index") throw new SampanError("not-found", "page not found");
    const found = await engine.images.lookUp(name, optionsOf(request, reply));
    const { descriptor, platforms, canonical: Ref, bytes, kind } = found;
    if (verb === "json") {
      const answer: DistributionInspect = { Descriptor: descriptor, Platforms: platforms };
      sendJson(reply, answer);
      return;
    }
    const [platform] = kind === "manifest" ? platforms : [];
    const Raw = bytes.toString("base64");
    const answer: RemoteManifest = { Ref, Descriptor: descriptor, ...(platform && { Platform: platform }), Raw };
    sendJson(reply, answer);
  });
  app.post("/distribution/*", async (request, reply) => {
    const { name, verb } = nameAndVerb(request);
    if (verb !== "index") throw new SampanError("not-found", "page not found");
    const { Manifests } = validateJson(indexBody, await jsonOf(request));
    const entries = Manifests.map(({ Ref, Descriptor }) => ({
      reference: parseReference(Ref),
      descriptor: Descriptor,
    }));
    const reference = parseReference(name);
    sendJson(reply, { Digest: await engine.images.pushIndex({ reference, entries }, optionsOf(request, reply)) });
  });
}

function nameAndVerb(request: ApiRequest): { name: string; verb: string } {
  const [, name = "", verb = ""] = /^(.+)\/(json|manifest|index)$/.exec(pathOf(request)["*"] ?? "") ?? [];
  if (name === "") throw new SampanError("not-found", "page not found");
  return { name, verb };
}
