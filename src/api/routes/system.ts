import { readdirSync } from "node:fs";
import { SampanError } from "../../errors/index.ts";
import type { ApiContext } from "../context.ts";
import { jsonOf, sendJson, sendText } from "../http/answers.ts";
import type { Api } from "../http/fastify.ts";
import { pingHeaders } from "../http/headers.ts";
import { credentials } from "../requests/registry-auth.ts";
import type { AuthResponse } from "../shapes/system.ts";
import { infoResponse, versionResponse } from "../views/system.ts";

/** What the daemon says about itself. */
export function systemRoutes(app: Api, { engine, checkLogin }: ApiContext): void {
  app.get("/_ping", (_request, reply) => {
    reply.raw.setHeaders(new Map(Object.entries(pingHeaders)));
    sendText(reply, 200, "text/plain; charset=utf-8", "OK");
  });
  app.head("/_ping", (_request, reply) => {
    reply.raw.setHeaders(new Map(Object.entries(pingHeaders)));
    sendText(reply, 200, "text/plain; charset=utf-8", "");
  });
  app.get("/version", (_request, reply) => sendJson(reply, versionResponse(engine.version())));
  app.get("/info", (request, reply) => {
    const around = {
      version: engine.version(),
      apiVersion: request.raw.versioned.version,
      now: new Date(),
      openFiles: readdirSync("/proc/self/fd").length,
      env: process.env,
    };
    sendJson(reply, infoResponse(engine.info(), around));
  });
  app.post("/auth", async (request, reply) => {
    const auth = credentials(await jsonOf(request));
    if (auth === undefined) throw new SampanError("invalid", "Cannot log in: neither a user name nor a token was sent");
    await checkLogin(auth);
    const answer: AuthResponse = { Status: "Login Succeeded", IdentityToken: "" };
    sendJson(reply, answer);
  });
}
