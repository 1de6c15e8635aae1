import * as z from "zod";
import type { ApiContext } from "../context.ts";
import { jsonOf, pathOf, queryOf, sendEmpty, sendJson } from "../http/answers.ts";
import type { Api } from "../http/fastify.ts";
import { versionNumber } from "../http/versions.ts";
import { parseCreateExec } from "../requests/exec.ts";
import { readQuery, terminalSide } from "../requests/query.ts";
import { execInspect } from "../views/exec.ts";

const v1_42 = versionNumber("1.42");

const resizeQuery = z.object({ h: terminalSide("height"), w: terminalSide("width") });

/** Commands in running containers; their start is in streams.ts. */
export function execRoutes(app: Api, { engine }: ApiContext): void {
  app.post("/containers/:id/exec", async (request, reply) => {
    const { consoleSize, ...given } = parseCreateExec(await jsonOf(request));
    const size = request.raw.versioned.version < v1_42 ? undefined : consoleSize;
    const id = engine.execs.create(pathOf(request).id ?? "", { ...given, consoleSize: size });
    sendJson(reply, { Id: id }, 201);
  });
  app.get("/exec/:id/json", (request, reply) => {
    sendJson(reply, execInspect(engine.execs.get(pathOf(request).id ?? "")));
  });
  app.post("/exec/:id/resize", async (request, reply) => {
    const { h: rows, w: columns } = readQuery(resizeQuery, queryOf(request));
    await engine.execs.resize(pathOf(request).id ?? "", { rows, columns });
    sendEmpty(reply, 200);
  });
}
