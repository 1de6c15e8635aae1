import * as z from "zod";
import { SampanError } from "../../errors/index.ts";
import { pathOf, queryOf, sendJson } from "../http/answers.ts";
import type { Api } from "../http/fastify.ts";
import { parseFilters } from "../requests/filters.ts";
import { readQuery, text } from "../requests/query.ts";
import type { ListVolumesResponse } from "../shapes/volume.ts";

const listQuery = z.object({ filters: text() });
const volumeFilters = ["dangling", "driver", "label", "name"];

/** The volumes, of which there are none yet that the API knows. */
export function volumeRoutes(app: Api): void {
  app.get("/volumes", (request, reply) => {
    parseFilters(readQuery(listQuery, queryOf(request)).filters, volumeFilters);
    const answer: ListVolumesResponse = { Volumes: [], Warnings: null };
    sendJson(reply, answer);
  });
  app.get("/volumes/:name", (request) => {
    const { name = "" } = pathOf(request);
    throw new SampanError("not-found", `get ${name}: no such volume`);
  });
}
