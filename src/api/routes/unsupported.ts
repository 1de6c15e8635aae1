import type { HTTPMethods } from "fastify";
import { sendEmpty } from "../http/answers.ts";
import type { Api } from "../http/fastify.ts";
import { notYet } from "./images.ts";

/** Docker's routes that have no answer yet, and what cannot be done for want of them. */
const notYetThere: readonly (readonly [HTTPMethods, string, string])[] = [
  ["GET", "/containers/:id/checkpoints", "list checkpoints"],
  ["POST", "/containers/:id/checkpoints", "make a checkpoint"],
  ["DELETE", "/containers/:id/checkpoints/:checkpoint", "delete a checkpoint"],
];

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
  app.options("/*", (_request, reply) => sendEmpty(reply, 200));
}
