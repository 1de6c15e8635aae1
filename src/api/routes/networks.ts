import * as z from "zod";
import type { ApiContext } from "../context.ts";
import { jsonOf, pathOf, queryOf, sendEmpty, sendJson } from "../http/answers.ts";
import type { Api, ApiReply, ApiRequest } from "../http/fastify.ts";
import { parseCreateNetwork } from "../requests/create-network.ts";
import { endpointSettings } from "../requests/endpoint.ts";
import { parseFilters } from "../requests/filters.ts";
import { networkFilter, networkFilters } from "../requests/network-filters.ts";
import { pruneFilter, pruneFilters } from "../requests/prune-filter.ts";
import { readQuery, text } from "../requests/query.ts";
import { struct, validateJson } from "../requests/validate.ts";
import type { CreateNetworkResponse, PruneNetworksResponse } from "../shapes/network.ts";
import { networkInspect, networkResource } from "../views/networks.ts";

const filtersQuery = z.object({ filters: text() });
const connectBody = struct({ Container: z.string(), EndpointConfig: endpointSettings });
const disconnectBody = struct({ Container: z.string(), Force: z.boolean() });

/** Networks, and who is joined to them. */
export function networkRoutes(app: Api, { engine }: ApiContext): void {
  const { networks } = engine;
  const list = (request: ApiRequest, reply: ApiReply): void => {
    const filters = parseFilters(readQuery(filtersQuery, queryOf(request)).filters, networkFilters);
    const wanted = networkFilter(filters, (network) => networks.isUsed(network));
    sendJson(reply, networks.list().filter(wanted).map(networkResource));
  };
  app.get("/networks", list);
  app.get("/networks/", list);
  app.get("/networks/:id", (request, reply) => sendJson(reply, networkInspect(networks.get(idOf(request)))));
  app.post("/networks/create", async (request, reply) => {
    const { id, warning } = await networks.create(parseCreateNetwork(await jsonOf(request)));
    const answer: CreateNetworkResponse = { Id: id, Warning: warning };
    sendJson(reply, answer, 201);
  });
  app.delete("/networks/:id", async (request, reply) => {
    await networks.remove(idOf(request));
    sendEmpty(reply);
  });
  app.post("/networks/:id/connect", async (request, reply) => {
    const { Container, EndpointConfig } = validateJson(connectBody, (await jsonOf(request)) ?? {});
    await networks.connect(idOf(request), Container ?? "", EndpointConfig ?? undefined);
    sendEmpty(reply, 200);
  });
  app.post("/networks/:id/disconnect", async (request, reply) => {
    const { Container, Force } = validateJson(disconnectBody, (await jsonOf(request)) ?? {});
    await networks.disconnect(idOf(request), Container ?? "", { force: Force ?? false });
    sendEmpty(reply, 200);
  });
  app.post("/networks/prune", async (request, reply) => {
    const filters = parseFilters(readQuery(filtersQuery, queryOf(request)).filters, pruneFilters);
    const names = await networks.prune(pruneFilter(filters, Date.now()));
    const answer: PruneNetworksResponse = { NetworksDeleted: names.length === 0 ? null : names };
    sendJson(reply, answer);
  });
}

function idOf(request: ApiRequest): string {
  return pathOf(request).id ?? "";
}
