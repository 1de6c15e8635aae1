import { SampanError } from "../../errors/index.ts";
import type { ApiContext } from "../context.ts";
import { pathOf, sendJson } from "../http/answers.ts";
import { departure } from "../http/departure.ts";
import type { Api } from "../http/fastify.ts";
import { parseRegistryAuth } from "../requests/registry-auth.ts";
import type { DistributionInspect } from "../shapes/image.ts";

/** GET /distribution/{name}/json: what a registry has under a name. Names contain slashes, so the verb is what comes last. */
export function distributionRoutes(app: Api, { engine, leaving }: ApiContext): void {
  app.get("/distribution/*", async (request, reply) => {
    const [, name = ""] = /^(.+)\/json$/.exec(pathOf(request)["*"] ?? "") ?? [];
    if (name === "") throw new SampanError("not-found", "page not found");
    const auth = parseRegistryAuth(request.headers["x-registry-auth"]);
    const signal = departure(request.raw, reply.raw, leaving);
    const { descriptor, platforms } = await engine.images.lookUp(name, { auth, signal });
    const answer: DistributionInspect = { Descriptor: descriptor, Platforms: platforms };
    sendJson(reply, answer);
  });
}
