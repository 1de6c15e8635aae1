import type { HTTPMethods } from "fastify";
import { SampanError } from "../../errors/index.ts";
import { sendEmpty, sendJson } from "../http/answers.ts";
import type { Api } from "../http/fastify.ts";
import { notYet } from "./images.ts";

/** Docker's routes that have no answer yet, and what cannot be done for want of them. */
const notYetThere: readonly (readonly [HTTPMethods, string, string])[] = [
  ["GET", "/containers/:id/attach/ws", "attach to a container over WebSocket"],
  ["GET", "/containers/:id/checkpoints", "list checkpoints"],
  ["POST", "/containers/:id/checkpoints", "make a checkpoint"],
  ["DELETE", "/containers/:id/checkpoints/:checkpoint", "delete a checkpoint"],
  ["POST", "/commit", "make an image of a container"],
  ["POST", "/build", "build an image"],
  ["POST", "/build/prune", "prune the build cache"],
  ["POST", "/build/cancel", "cancel a build"],
  ["POST", "/session", "open a build session"],
  ["POST", "/grpc", "build with BuildKit"],
  ["GET", "/images/search", "search a registry"],
  ["GET", "/images/get", "save images"],
  ["GET", "/system/df", "sum up disk usage"],
  ["GET", "/distribution/*", "ask a registry about an image"],
  ["PUT", "/volumes/:name", "change a volume"],
];

const swarmNouns = ["swarm", "nodes", "services", "tasks", "secrets", "configs"];

const noSwarm =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

/** Every known route of Docker that is not served otherwise has an answer that says so; anything else is 404. */
export function unsupportedRoutes(app: Api): void {
  for (const [method, url, what] of notYetThere) {
    app.route({
      method,
      url,
      handler: () => {
        throw notYet(what);
      },
    });
  }
  const swarm = (): never => {
    throw new SampanError("unavailable", noSwarm);
  };
  for (const noun of swarmNouns) {
    app.route({ method: ["GET", "POST"], url: `/${noun}`, handler: swarm });
    app.route({ method: ["GET", "POST", "DELETE"], url: `/${noun}/*`, handler: swarm });
  }
  app.get("/plugins", (_request, reply) => sendJson(reply, []));
  // `docker inspect NAME` asks for a plugin last of all: only not-found lets it say that there is no such object
  app.get<{ Params: { name: string } }>("/plugins/:name/json", ({ params }) => {
    throw new SampanError("not-found", `plugin "${params.name}" not found`);
  });
  app.route({
    method: ["GET", "POST", "DELETE"],
    url: "/plugins/*",
    handler: () => {
      throw notYet("use plugins");
    },
  });
  app.options("/*", (_request, reply) => sendEmpty(reply, 200));
}
