import * as z from "zod";
import type { EgressRecord } from "../../engine/types.ts";
import type { ApiContext } from "../context.ts";
import { pathOf, queryOf } from "../http/answers.ts";
import { departure } from "../http/departure.ts";
import type { Api } from "../http/fastify.ts";
import { pump } from "../http/pump.ts";
import { flag, readQuery } from "../requests/query.ts";
import { egressEntry } from "../views/egress.ts";

const egressQuery = z.object({ follow: flag() });

/** What a container's egress policy has refused: a line of JSON each. Not Docker's. */
export function egressRoutes(app: Api, { engine, leaving }: ApiContext): void {
  app.get("/containers/:id/egress", async (request, reply) => {
    const { follow } = readQuery(egressQuery, queryOf(request));
    const signal = departure(request.raw, reply.raw, leaving);
    const records = engine.containers.egress(pathOf(request).id ?? "", { follow, signal });
    reply.hijack();
    reply.raw.writeHead(200, { "Content-Type": "application/x-ndjson" });
    reply.raw.flushHeaders();
    await pump(lines(records), reply.raw);
  });
}

async function* lines(records: AsyncIterable<EgressRecord>): AsyncGenerator<string> {
  for await (const record of records) yield `${JSON.stringify(egressEntry(record))}\n`;
}
