import { SampanError } from "../../errors/index.ts";
import { pathOf, sendJson } from "../http/answers.ts";
import type { Api, ApiRequest } from "../http/fastify.ts";
import { notManager } from "../requests/swarm.ts";
import { notYet } from "./images.ts";

/** What belongs to a swarm and to nobody else. Secrets do not: see secrets.ts. */
const nouns = ["swarm", "nodes", "services", "tasks", "configs"];

/** Swarms and plugins, answered as dockerd answers outside a swarm and without plugins. */
export function swarmRoutes(app: Api): void {
  const refuse = (): never => {
    throw new SampanError("unavailable", notManager);
  };
  for (const noun of nouns) {
    app.route({ method: ["GET", "POST"], url: `/${noun}`, handler: refuse });
    app.route({ method: ["GET", "POST", "DELETE"], url: `/${noun}/*`, handler: refuse });
  }
  app.post("/swarm/leave", () => {
    throw new SampanError("unavailable", "This node is not part of a swarm");
  });
  for (const verb of ["init", "join"]) {
    app.post(`/swarm/${verb}`, () => {
      throw new SampanError("unsupported", `Cannot ${verb} a swarm: Sampan has containers on one machine only`);
    });
  }
  app.put("/volumes/:name", () => {
    const why = "volume update only valid for cluster volumes, but swarm is unavailable";
    throw new SampanError("unavailable", why);
  });
  pluginRoutes(app);
}

function pluginRoutes(app: Api): void {
  app.get("/plugins", (_request, reply) => sendJson(reply, []));
  // `docker inspect NAME` asks for a plugin last of all: only not-found lets it say that there is no such object
  const notFound = (request: ApiRequest): never => {
    throw new SampanError("not-found", `plugin "${pathOf(request).name}" not found`);
  };
  app.get("/plugins/:name/json", notFound);
  app.delete("/plugins/:name", notFound);
  for (const verb of ["enable", "disable", "push", "set", "upgrade"]) app.post(`/plugins/:name/${verb}`, notFound);
  app.route({
    method: ["GET", "POST", "DELETE"],
    url: "/plugins/*",
    handler: () => {
      throw notYet("use plugins");
    },
  });
}
