import * as z from "zod";
import type { StopOptions } from "../../engine/types.ts";
import { SampanError } from "../../errors/index.ts";
import type { ApiContext } from "../context.ts";
import { pathOf, queryOf, sendEmpty, sendJson } from "../http/answers.ts";
import type { Api, ApiRequest } from "../http/fastify.ts";
import { versionNumber } from "../http/versions.ts";
import { parseFilters } from "../requests/filters.ts";
import { pruneFilter, pruneFilters } from "../requests/prune-filter.ts";
import { flag, integer, readQuery, terminalSide, text } from "../requests/query.ts";
import type { PruneContainersResponse } from "../shapes/container.ts";

const v1_42 = versionNumber("1.42");

const stopQuery = z.object({ t: integer(), signal: text() });
const killQuery = z.object({ signal: text() });
const resizeQuery = z.object({ h: terminalSide("height"), w: terminalSide("width") });
const renameQuery = z.object({ name: text() });
const removeQuery = z.object({ v: flag(), force: flag(), link: flag() });
const noLinks = "Cannot remove a link: links are names in the container that has asked for them, and go with it";
const pruneQuery = z.object({ filters: text() });

/** What is done to containers. */
export function containerLifeRoutes(app: Api, { engine }: ApiContext): void {
  const { containers } = engine;
  app.post("/containers/:id/start", async (request, reply) => {
    await refuseBody(request);
    await containers.start(idOf(request));
    sendEmpty(reply);
  });
  app.post("/containers/:id/stop", async (request, reply) => {
    await containers.stop(idOf(request), stopOptions(request));
    sendEmpty(reply);
  });
  app.post("/containers/:id/restart", async (request, reply) => {
    await containers.restart(idOf(request), stopOptions(request));
    sendEmpty(reply);
  });
  app.post("/containers/:id/kill", async (request, reply) => {
    await containers.kill(idOf(request), readQuery(killQuery, queryOf(request)).signal);
    sendEmpty(reply);
  });
  app.post("/containers/:id/resize", async (request, reply) => {
    const { h: rows, w: columns } = readQuery(resizeQuery, queryOf(request));
    await containers.resize(idOf(request), { rows, columns });
    sendEmpty(reply, 200);
  });
  app.post("/containers/:id/rename", (request, reply) => {
    const { name } = readQuery(renameQuery, queryOf(request));
    if (name === undefined) throw new SampanError("invalid", "Neither old nor new names may be empty");
    containers.rename(idOf(request), name.replace(/^\//, ""));
    sendEmpty(reply);
  });
  app.delete("/containers/:id", async (request, reply) => {
    const { v: volumes, force, link } = readQuery(removeQuery, queryOf(request));
    if (link) throw new SampanError("conflict", noLinks);
    await containers.remove(idOf(request), { volumes, force });
    sendEmpty(reply);
  });
  app.delete("/containers/:id/*", (request) => {
    const { link } = readQuery(removeQuery, queryOf(request));
    throw link ? new SampanError("conflict", noLinks) : new SampanError("not-found", "page not found");
  });
  app.post("/containers/prune", async (request, reply) => {
    const filters = parseFilters(readQuery(pruneQuery, queryOf(request)).filters, pruneFilters);
    const wanted = pruneFilter(filters, Date.now());
    const { ids, reclaimed } = await containers.prune(({ createdAt, config }) =>
      wanted({ createdAt: Date.parse(createdAt), labels: config.Labels }),
    );
    const answer: PruneContainersResponse = {
      ContainersDeleted: ids.length === 0 ? null : ids,
      SpaceReclaimed: reclaimed,
    };
    sendJson(reply, answer);
  });
}

function idOf(request: ApiRequest): string {
  return pathOf(request).id ?? "";
}

function stopOptions(request: ApiRequest): StopOptions {
  const { t: timeout, signal } = readQuery(stopQuery, queryOf(request));
  return { timeout, signal: request.raw.versioned.version < v1_42 ? undefined : signal };
}

/** The configuration that was once sent here; seven bytes are what an empty object may take. */
async function refuseBody(request: ApiRequest): Promise<void> {
  if (request.headers["content-length"] === undefined && request.headers["transfer-encoding"] === undefined) return;
  let size = 0;
  for await (const chunk of request.raw.iterator({ destroyOnReturn: false })) {
    size += (chunk as Uint8Array).length;
    if (size > 7) {
      throw new SampanError(
        "invalid",
        "starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24",
      );
    }
  }
}
