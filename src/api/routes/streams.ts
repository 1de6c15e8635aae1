import type { Socket } from "node:net";
import type { Attachment, Engine } from "../../engine/types.ts";
import { SampanError } from "../../errors/index.ts";
import type { ApiContext } from "../context.ts";
import { refuseBrowsers } from "../http/browsers.ts";
import { readJson } from "../http/json-body.ts";
import type { ApiMessage } from "../http/message.ts";
import { answerRaw, hijackHeader, refuseRaw } from "../http/raw-answers.ts";
import { readRawBody } from "../http/raw-body.ts";
import { checkVersion, splitVersion, versionNumber } from "../http/versions.ts";
import { attachQuery } from "../requests/attach.ts";
import { parseStartExec, type StartExec } from "../requests/exec.ts";
import { readQuery } from "../requests/query.ts";
import { attachWebSocket } from "./attach-websocket.ts";
import { buildKitPath, buildKitRoutes } from "./buildkit.ts";
import { holdOwner } from "./owners.ts";

/** From here on the type of a stream says whether it is framed. */
const v1_42 = versionNumber("1.42");

/** One request on a connection that is about to become a raw stream. */
interface Exchange {
  readonly request: ApiMessage;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

/**
 * POST /containers/{id}/attach, POST /exec/{id}/start, POST /grpc, POST /session and POST /sampan/owners/{name}: the requests that leave HTTP. A refusal is an HTTP answer like
 * any other; after the header of a success the connection is the container's.
 */
export function streamRoutes(context: ApiContext, headers: Readonly<Record<string, string>>) {
  const speakBuildKit = buildKitRoutes(context);
  return async (request: ApiMessage, socket: Socket, head: Buffer): Promise<void> => {
    if (request.method === "GET") {
      await attachWebSocket(context, headers, { request, socket, head });
      return;
    }
    socket.once("close", context.activity.begin());
    try {
      const exchange = await receive(request, socket, head);
      const owner = /^\/sampan\/owners\/([^/]+)$/.exec(exchange.path)?.[1];
      if (owner !== undefined) return holdOwner(context, owner, { socket, headers });
      const buildKit = buildKitPath(exchange.path);
      if (buildKit !== undefined) return await speakBuildKit(request, buildKit, { socket, headers });
      const attachment = await open(context.engine, exchange);
      if (attachment === undefined) answerRaw(socket, 200, headers);
      else await join(attachment, { request, socket, headers, context });
    } catch (error) {
      refuseRaw(socket, headers, error);
    }
  };
}

/** Reads the request; what has come behind it stays to be read as input. */
async function receive(request: ApiMessage, socket: Socket, head: Buffer): Promise<Exchange> {
  refuseBrowsers(request);
  request.versioned = splitVersion(request.url ?? "/");
  checkVersion(request.versioned);
  const { pathname: path, searchParams: query } = new URL(request.versioned.path, "http://daemon");
  const { body, rest } = await readRawBody(request.headers, socket, head);
  if (rest.length > 0) socket.unshift(rest);
  return { request, path, query, body };
}

/** What the connection is to be joined to; nothing for an exec that is to be left alone, which has been started. */
async function open({ containers, execs }: Engine, exchange: Exchange): Promise<Attachment | undefined> {
  const [, noun, name = "", verb] = exchange.path.split("/");
  const id = decodeURIComponent(name);
  if (noun === "containers" && verb === "attach") return containers.attach(id, readQuery(attachQuery, exchange.query));
  if (noun !== "exec" || verb !== "start") throw new SampanError("not-found", "page not found");
  const { tty, detach, consoleSize: size } = await execOptions(exchange);
  const consoleSize = exchange.request.versioned.version < v1_42 ? undefined : size;
  if (!detach) return execs.attach(id, { tty, consoleSize });
  await execs.start(id, { consoleSize });
  return undefined;
}

async function execOptions({ request, body }: Exchange): Promise<StartExec> {
  const length = { ...request.headers, "content-length": String(body.length), "transfer-encoding": undefined };
  return parseStartExec(await readJson(length, one(body)));
}

interface Joining {
  readonly request: ApiMessage;
  readonly socket: Socket;
  readonly headers: Readonly<Record<string, string>>;
  readonly context: ApiContext;
}

async function join(attachment: Attachment, { request, socket, headers, context }: Joining): Promise<void> {
  const upgrade = request.headers.upgrade !== undefined;
  const multiplexed = !attachment.tty && request.versioned.version >= v1_42;
  const cut = (): void => void socket.destroy();
  context.leaving.addEventListener("abort", cut);
  socket.write(hijackHeader(headers, upgrade, multiplexed));
  try {
    await attachment.join(socket);
    socket.end();
    // Input that nobody will read any more must not keep the connection from closing.
    socket.resume();
  } catch (error) {
    context.log.error({ err: error, url: request.url }, "Cannot join a client and a process");
    socket.destroy();
  } finally {
    context.leaving.removeEventListener("abort", cut);
  }
}

async function* one(chunk: Uint8Array): AsyncGenerator<Uint8Array> {
  yield chunk;
}
