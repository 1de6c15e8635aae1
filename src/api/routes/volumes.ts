import * as z from "zod";
import type { ApiContext } from "../context.ts";
import { jsonOf, pathOf, queryOf, sendEmpty, sendJson } from "../http/answers.ts";
import type { Api, ApiRequest } from "../http/fastify.ts";
import { parseCreateVolume } from "../requests/create-volume.ts";
import { parseFilters } from "../requests/filters.ts";
import { flag, readQuery, text } from "../requests/query.ts";
import { volumeFilter, volumeFilters, volumePruneFilter, volumePruneFilters } from "../requests/volume-filters.ts";
import type { ListVolumesResponse, PruneVolumesResponse } from "../shapes/volume.ts";
import { volumeInspect } from "../views/volume.ts";

const filtersQuery = z.object({ filters: text() });
const removeQuery = z.object({ force: flag() });

/** Volumes. */
export function volumeRoutes(app: Api, { engine }: ApiContext): void {
  const { volumes } = engine;
  app.get("/volumes", (request, reply) => {
    const filters = parseFilters(readQuery(filtersQuery, queryOf(request)).filters, volumeFilters);
    const found = volumes.list().filter(volumeFilter(filters));
    const answer: ListVolumesResponse = { Volumes: found.map(volumeInspect), Warnings: null };
    sendJson(reply, answer);
  });
  app.get("/volumes/:name", (request, reply) => sendJson(reply, volumeInspect(volumes.get(nameOf(request)))));
  app.post("/volumes/create", async (request, reply) => {
    const volume = await volumes.create(parseCreateVolume(await jsonOf(request)));
    sendJson(reply, volumeInspect(volume), 201);
  });
  app.delete("/volumes/:name", async (request, reply) => {
    await volumes.remove(nameOf(request), readQuery(removeQuery, queryOf(request)));
    sendEmpty(reply);
  });
  app.post("/volumes/prune", async (request, reply) => {
    const filters = parseFilters(readQuery(filtersQuery, queryOf(request)).filters, volumePruneFilters);
    const { names, reclaimed } = await volumes.prune(volumePruneFilter(filters, request.raw.versioned.version));
    const answer: PruneVolumesResponse = { VolumesDeleted: names, SpaceReclaimed: reclaimed };
    sendJson(reply, answer);
  });
}

function nameOf(request: ApiRequest): string {
  return pathOf(request).name ?? "";
}
