import type { Socket } from "node:net";
import * as z from "zod";
import type { Attachment } from "../../engine/types.ts";
import { SampanError } from "../../errors/index.ts";
import type { ApiContext } from "../context.ts";
import { readJson } from "../http/json-body.ts";
import type { ApiMessage } from "../http/message.ts";
import { answerRaw, hijackHeader, refuseRaw } from "../http/raw-answers.ts";
import { readRawBody } from "../http/raw-body.ts";
import { checkVersion, splitVersion, versionNumber } from "../http/versions.ts";
import { parseStartExec } from "../requests/exec.ts";
import { flag, readQuery, text } from "../requests/query.ts";

/** From here on the type of a stream says whether it is framed. */
const v1_42 = versionNumber("1.42");

const attachQuery = z.object({
  logs: flag(),
  stream: flag(),
  stdin: flag(),
  stdout: flag(),
  stderr: flag(),
  detachKeys: text(),
});

/** One request on a connection that is about to become a raw stream. */
interface Exchange {
  readonly request: ApiMessage;
  readonly socket: Socket;
  readonly query: URLSearchParams;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * POST /containers/{id}/attach and POST /exec/{id}/start: the requests that leave HTTP. A refusal is an HTTP answer like
 * any other; after the header of a success the connection is the container's.
 */
export function streamRoutes(context: ApiContext, headers: Readonly<Record<string, string>>) {
  return async (request: ApiMessage, socket: Socket, head: Buffer): Promise<void> => {
    const ended = context.activity.begin();
    socket.once("close", ended);
    try {
      const versioned = splitVersion(request.url ?? "/");
      request.versioned = versioned;
      checkVersion(versioned);
      const { pathname, searchParams: query } = new URL(versioned.path, "http://daemon");
      const { body, rest } = await readRawBody(request.headers, socket, head);
      if (rest.length > 0) socket.unshift(rest);
      const exchange = { request, socket, query, body, headers };
      const [, noun, id = "", verb] = pathname.split("/");
      if (noun === "containers" && verb === "attach") await attach(context, decodeURIComponent(id), exchange);
      else if (noun === "exec" && verb === "start") await startExec(context, decodeURIComponent(id), exchange);
      else throw new SampanError("not-found", "page not found");
    } catch (error) {
      if (socket.writable && socket.bytesWritten === 0) refuseRaw(socket, headers, error);
      else socket.destroy();
    }
  };
}

async function attach({ engine, leaving }: ApiContext, id: string, exchange: Exchange): Promise<void> {
  const attachment = engine.containers.attach(id, readQuery(attachQuery, exchange.query));
  await join(attachment, exchange, leaving);
}

async function startExec({ engine, leaving }: ApiContext, id: string, exchange: Exchange): Promise<void> {
  const { request, socket, body, headers } = exchange;
  const length = { ...request.headers, "content-length": String(body.length), "transfer-encoding": undefined };
  const given = parseStartExec(await readJson(length, one(body)));
  const consoleSize = request.versioned.version < v1_42 ? undefined : given.consoleSize;
  if (given.detach) {
    await engine.execs.start(id, { consoleSize });
    answerRaw(socket, 200, headers);
  } else {
    await join(engine.execs.attach(id, { tty: given.tty, consoleSize }), exchange, leaving);
  }
}

async function join(attachment: Attachment, exchange: Exchange, leaving: AbortSignal): Promise<void> {
  const { request, socket, headers } = exchange;
  const upgrade = request.headers.upgrade !== undefined;
  const multiplexed = !attachment.tty && request.versioned.version >= v1_42;
  const cut = (): void => void socket.destroy();
  leaving.addEventListener("abort", cut);
  socket.setNoDelay(true);
  socket.write(hijackHeader(headers, upgrade, multiplexed));
  try {
    await attachment.join(socket);
    socket.end();
    // Input that nobody will read any more must not keep the connection from closing.
    socket.resume();
  } finally {
    leaving.removeEventListener("abort", cut);
  }
}

async function* one(chunk: Uint8Array): AsyncGenerator<Uint8Array> {
  yield chunk;
}
