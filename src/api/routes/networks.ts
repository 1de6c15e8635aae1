import * as z from "zod";
import type { Filters } from "../../engine/types.ts";
import { SampanError } from "../../errors/index.ts";
import type { ApiContext } from "../context.ts";
import { pathOf, queryOf, sendJson } from "../http/answers.ts";
import type { Api, ApiReply, ApiRequest } from "../http/fastify.ts";
import { matchesLabels, parseFilters } from "../requests/filters.ts";
import { readQuery, text } from "../requests/query.ts";
import type { NetworkResource } from "../shapes/network.ts";
import type { ListVolumesResponse } from "../shapes/volume.ts";
import { networks } from "../views/networks.ts";

const listQuery = z.object({ filters: text() });
const networkFilters = ["dangling", "driver", "id", "label", "name", "scope", "type"];
const volumeFilters = ["dangling", "driver", "label", "name"];

/** The networks that every machine has, and the volumes, of which there are none yet. */
export function networkRoutes(app: Api, { engine }: ApiContext): void {
  const list = (request: ApiRequest, reply: ApiReply): void => {
    const filters = parseFilters(readQuery(listQuery, queryOf(request)).filters, networkFilters);
    sendJson(
      reply,
      networks().filter((network) => matches(network, filters)),
    );
  };
  app.get("/networks", list);
  app.get("/networks/", list);
  app.get("/networks/:id", (request, reply) => {
    const { id = "" } = pathOf(request);
    const all = networks(engine.containers.list());
    const found = all.find(({ Name }) => Name === id) ?? all.find(({ Id }) => id !== "" && Id.startsWith(id));
    if (found === undefined) throw new SampanError("not-found", `network ${id} not found`);
    sendJson(reply, found);
  });
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

function matches(network: NetworkResource, filters: Filters): boolean {
  const any = (key: string, test: (value: string) => boolean): boolean =>
    filters[key] === undefined || filters[key].length === 0 || filters[key].some(test);
  return (
    any("name", (part) => network.Name.includes(part)) &&
    any("id", (part) => network.Id.includes(part)) &&
    any("driver", (driver) => driver === network.Driver) &&
    any("scope", (scope) => scope === network.Scope) &&
    any("type", (type) => type === "builtin") &&
    any("dangling", (dangling) => dangling === "false" || dangling === "0") &&
    matchesLabels(network.Labels, filters.label)
  );
}
