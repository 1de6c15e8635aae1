import * as z from "zod";
import { ownerAnnotation } from "../../engine/owners/owners.ts";
import type { Containers, CreateRequest } from "../../engine/types.ts";
import { SampanError } from "../../errors/index.ts";
import type { ApiContext } from "../context.ts";
import { jsonOf, pathOf, queryOf, sendJson } from "../http/answers.ts";
import type { Api, ApiRequest } from "../http/fastify.ts";
import { parseCreateContainer } from "../requests/create-container.ts";
import { modernise } from "../requests/create-shims.ts";
import { parseFilters } from "../requests/filters.ts";
import { flag, integer, readQuery, text } from "../requests/query.ts";
import type { CreateContainerResponse } from "../shapes/container.ts";
import { containerInspect, containerSummary } from "../views/container.ts";

const listQuery = z.object({ all: flag(), size: flag(), limit: integer(), filters: text() });
const createQuery = z.object({ name: text(), platform: text() });
const inspectQuery = z.object({ size: flag() });

const listFilters = [
  ...["ancestor", "before", "exited", "expose", "health", "id", "is-task", "isolation", "label", "name", "network"],
  ...["publish", "since", "status", "volume"],
];

/** Making containers, and looking at them. */
export function containerRoutes(app: Api, context: ApiContext): void {
  const { containers, execs } = context.engine;
  app.get("/containers/json", async (request, reply) => {
    const query = readQuery(listQuery, queryOf(request));
    const filters = parseFilters(query.filters, listFilters);
    const limit = query.limit !== undefined && query.limit > 0 ? query.limit : undefined;
    const views = containers.list({ all: query.all, limit, filters });
    const sizes = await Promise.all(views.map(({ id }) => (query.size ? sizeIfThere(containers, id) : undefined)));
    sendJson(
      reply,
      views.map((view, index) => containerSummary(view, sizes[index])),
    );
  });
  app.post("/containers/create", async (request, reply) => {
    const wanted = await createRequest(context, request);
    const { id, warnings } = await containers.create(wanted);
    const owner = wanted.hostConfig?.Annotations?.[ownerAnnotation];
    if (owner !== undefined) context.engine.owners.made(owner);
    const answer: CreateContainerResponse = { Id: id, Warnings: warnings };
    sendJson(reply, answer, 201);
  });
  app.get("/containers/:id/json", async (request, reply) => {
    const { id = "" } = pathOf(request);
    const { size } = readQuery(inspectQuery, queryOf(request));
    const found = containers.get(id);
    // Those that have ended can still be inspected, but are not the container's any more.
    const execIds = found.execIds.filter((exec) => execs.get(exec).exitCode === null);
    const view = { ...found, execIds };
    const { version } = request.raw.versioned;
    sendJson(reply, containerInspect(view, { size: size ? await containers.sizes(view.id) : undefined, version }));
  });
  app.post("/sampan/explain", async (request, reply) => {
    sendJson(reply, await context.engine.explain(await createRequest(context, request)));
  });
}

/** Body and query of a request to create a container, in the meaning of the latest API. */
async function createRequest({ engine }: ApiContext, request: ApiRequest): Promise<CreateRequest> {
  const { name, platform } = readQuery(createQuery, queryOf(request));
  const body = parseCreateContainer(await jsonOf(request));
  const { version } = request.raw.versioned;
  const machine = {
    get cgroupVersion() {
      return engine.info().cgroupVersion;
    },
  };
  return modernise({ name, platform, ...body }, version, machine);
}

/** A container that was removed meanwhile has no size; that must not spoil the list. */
async function sizeIfThere(containers: Containers, id: string) {
  try {
    return await containers.sizes(id);
  } catch (error) {
    if (error instanceof SampanError && error.kind === "not-found") return undefined;
    throw error;
  }
}
