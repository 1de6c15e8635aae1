import type { RequestListener, Server } from "node:http";
import { fastify } from "fastify";
import { SampanError } from "../errors/index.ts";
import type { ApiContext } from "./context.ts";
import { refuseBrowsers } from "./http/browsers.ts";
import { errorAnswer, errorJson } from "./http/error-body.ts";
import type { Api, ApiReply } from "./http/fastify.ts";
import { commonHeaders } from "./http/headers.ts";
import type { ApiMessage } from "./http/message.ts";
import { createApiServer } from "./http/server.ts";
import { checkVersion, splitVersion } from "./http/versions.ts";
import { Actions } from "./metrics/actions.ts";
import { archiveRoutes } from "./routes/archives.ts";
import { buildRoutes } from "./routes/builds.ts";
import { containerLifeRoutes } from "./routes/container-life.ts";
import { containerUseRoutes } from "./routes/container-use.ts";
import { containerWatchRoutes } from "./routes/container-watch.ts";
import { containerRoutes } from "./routes/containers.ts";
import { diskUsageRoutes } from "./routes/disk-usage.ts";
import { distributionRoutes } from "./routes/distribution.ts";
import { egressRoutes } from "./routes/egress.ts";
import { eventRoutes } from "./routes/events.ts";
import { execRoutes } from "./routes/execs.ts";
import { imageTransferRoutes } from "./routes/image-transfers.ts";
import { imageRoutes } from "./routes/images.ts";
import { makingRoutes } from "./routes/making.ts";
import { metricsRoute } from "./routes/metrics.ts";
import { networkRoutes } from "./routes/networks.ts";
import { registryRoutes } from "./routes/registry.ts";
import { secretRoutes } from "./routes/secrets.ts";
import { streamRoutes } from "./routes/streams.ts";
import { swarmRoutes } from "./routes/swarm.ts";
import { systemRoutes } from "./routes/system.ts";
import { unsupportedRoutes } from "./routes/unsupported.ts";
import { volumeRoutes } from "./routes/volumes.ts";

const routes = [
  systemRoutes,
  diskUsageRoutes,
  distributionRoutes,
  eventRoutes,
  egressRoutes,
  containerRoutes,
  containerLifeRoutes,
  containerWatchRoutes,
  containerUseRoutes,
  execRoutes,
  imageRoutes,
  imageTransferRoutes,
  registryRoutes,
  networkRoutes,
  volumeRoutes,
  archiveRoutes,
  makingRoutes,
  buildRoutes,
  secretRoutes,
  swarmRoutes,
  unsupportedRoutes,
];

/** The Docker Engine API over an engine. The returned function makes servers, each for one address to listen at. */
export async function createApi(context: ApiContext): Promise<() => Server> {
  const headers = commonHeaders(context.engine.version().version);
  const hijack = streamRoutes(context, headers);
  let listener: RequestListener<typeof ApiMessage> = () => {};
  const app = fastify({
    serverFactory: (handler) => {
      listener = handler as unknown as RequestListener<typeof ApiMessage>;
      return createApiServer(listener, hijack);
    },
    rewriteUrl: (request) => {
      const message = request as ApiMessage;
      message.versioned = splitVersion(message.url ?? "/");
      return message.versioned.path;
    },
    routerOptions: {
      maxParamLength: 4096,
      querystringParser: (text) => new URLSearchParams(text) as unknown as Record<string, unknown>,
    },
    frameworkErrors: (error, _request, reply) => refuse(reply as unknown as ApiReply, 400, errorJson(error.message)),
    exposeHeadRoutes: false,
    logger: false,
    // Schemas are zod's: fastify's own compilers need not be loaded.
    schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
  }) as unknown as Api;
  const actions = new Actions();
  prepare(app, context, actions);
  for (const add of routes) add(app, context);
  metricsRoute(app, context, actions);
  await app.ready();
  const tracked: RequestListener<typeof ApiMessage> = (request, response) => {
    response.once("close", context.activity.begin());
    for (const name in headers) response.setHeader(name, headers[name] ?? "");
    listener(request, response);
  };
  return () => createApiServer(tracked, hijack);
}

/** Bodies are read by the routes; refusals are Docker's JSON. */
function prepare(app: Api, { log }: ApiContext, actions: Actions): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));
  app.addHook("onRequest", (request, reply, done) => {
    log.debug({ method: request.method, url: loggable(request.originalUrl) }, "request");
    actions.watch(`${request.method} ${request.routeOptions.url ?? ""}`, reply.raw);
    refuseBrowsers(request.raw);
    if (!request.is404) checkVersion(request.raw.versioned);
    done();
  });
  app.setNotFoundHandler((_request, reply) => refuse(reply, 404, errorJson("page not found")));
  app.setErrorHandler((error, request, reply) => {
    const { status, body, unexpected } = errorAnswer(error);
    if (unexpected)
      log.error({ err: error, method: request.method, url: loggable(request.originalUrl) }, "Cannot answer");
    refuse(reply, status, body);
  });
}

function refuse(reply: ApiReply, status: number, body: string): void {
  reply.hijack();
  const { raw } = reply;
  if (raw.headersSent) {
    // Too late for a status: only a broken connection says that something is missing.
    raw.destroy();
    return;
  }
  raw.writeHead(
    status,
    body === "" ? {} : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) },
  );
  raw.end(body);
}

function noCompiler(): never {
  throw new SampanError("internal", "Cannot compile a schema: no route has one");
}

/** Build arguments are often passwords, and addresses of contexts have some in them: neither goes into a log. */
function loggable(url: string): string {
  return url.replaceAll(/([?&](?:buildargs|remote)=)[^&]*/g, "$1…");
}
