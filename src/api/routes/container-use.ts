import * as z from "zod";
import type { EngineInfo, StatsReading } from "../../engine/types.ts";
import { SampanError } from "../../errors/index.ts";
import type { ApiContext } from "../context.ts";
import { jsonOf, pathOf, queryOf, sendEmpty, sendJson } from "../http/answers.ts";
import { departure } from "../http/departure.ts";
import type { Api } from "../http/fastify.ts";
import { pump } from "../http/pump.ts";
import { versionNumber } from "../http/versions.ts";
import { parseUpdateContainer } from "../requests/create-container.ts";
import { flag, readQuery, text } from "../requests/query.ts";
import type { TopResponse, UpdateContainerResponse } from "../shapes/container.ts";
import { statsJson } from "../views/stats.ts";

const v1_40 = versionNumber("1.40");
const v1_41 = versionNumber("1.41");

const topQuery = z.object({ ps_args: text() });
const statsQuery = z.object({ stream: flag(true), "one-shot": flag() });

/** What containers use, and changing it while they run. */
export function containerUseRoutes(app: Api, { engine, leaving }: ApiContext): void {
  const { containers, stats } = engine;
  let machine: Pick<EngineInfo, "cgroupVersion" | "memory"> | undefined;
  app.post("/containers/:id/pause", async (request, reply) => {
    await containers.pause(pathOf(request).id ?? "");
    sendEmpty(reply);
  });
  app.post("/containers/:id/unpause", async (request, reply) => {
    await containers.unpause(pathOf(request).id ?? "");
    sendEmpty(reply);
  });
  app.post("/containers/:id/update", async (request, reply) => {
    const { PidsLimit: pids, ...changes } = parseUpdateContainer(await jsonOf(request));
    // Zero and all negative numbers mean "no limit"; clients before 1.40 do not know this one.
    const told = request.raw.versioned.version >= v1_40 && pids !== undefined && pids !== null;
    const limit = told ? { PidsLimit: Math.max(pids, 0) } : {};
    const { warnings } = await containers.update(pathOf(request).id ?? "", { ...changes, ...limit });
    const answer: UpdateContainerResponse = { Warnings: warnings.length === 0 ? null : warnings };
    sendJson(reply, answer);
  });
  app.get("/containers/:id/top", (request, reply) => {
    const { ps_args: args = "" } = readQuery(topQuery, queryOf(request));
    const { titles, processes } = containers.top(pathOf(request).id ?? "", args);
    const answer: TopResponse = { Processes: processes, Titles: titles };
    sendJson(reply, answer);
  });
  app.get("/containers/:id/stats", async (request, reply) => {
    const { id = "" } = pathOf(request);
    const { stream, "one-shot": once } = readQuery(statsQuery, queryOf(request));
    const oneShot = once && request.raw.versioned.version >= v1_41;
    if (stream && oneShot) throw new SampanError("invalid", "cannot have stream=true and one-shot=true");
    const signal = departure(request.raw, reply.raw, leaving);
    machine ??= engine.info();
    const { cgroupVersion, memory } = machine;
    const asJson = (reading: StatsReading) => statsJson(reading, { cgroupVersion, memory });
    if (!stream) return sendJson(reply, asJson(await stats.read(id, { oneShot, signal })));
    const readings = stats.follow(id, signal);
    reply.hijack();
    reply.raw.writeHead(200, { "Content-Type": "application/json" });
    reply.raw.flushHeaders();
    await pump(lines(readings, asJson), reply.raw);
  });
}

async function* lines<T>(items: AsyncIterable<T>, asJson: (item: T) => object): AsyncGenerator<string> {
  for await (const item of items) yield `${JSON.stringify(asJson(item))}\n`;
}
