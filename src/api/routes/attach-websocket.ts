import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { ApiContext } from "../context.ts";
import { refuseBrowsers } from "../http/browsers.ts";
import type { ApiMessage } from "../http/message.ts";
import { refuseRaw } from "../http/raw-answers.ts";
import { unframe } from "../http/unframe.ts";
import { checkVersion, splitVersion } from "../http/versions.ts";
import { handshake, WebSocketStream } from "../http/websocket.ts";
import { attachQuery } from "../requests/attach.ts";
import { readQuery } from "../requests/query.ts";

/**
 * GET /containers/{id}/attach/ws: as attach, in binary frames and never multiplexed. A refusal is an HTTP answer.
 */
export async function attachWebSocket(
  { engine, activity, leaving, log }: ApiContext,
  headers: Readonly<Record<string, string>>,
  { request, socket, head }: { readonly request: ApiMessage; readonly socket: Socket; readonly head: Buffer },
): Promise<void> {
  socket.once("close", activity.begin());
  const cut = (): void => void socket.destroy();
  leaving.addEventListener("abort", cut);
  try {
    refuseBrowsers(request);
    request.versioned = splitVersion(request.url ?? "/");
    checkVersion(request.versioned);
    const { pathname, searchParams } = new URL(request.versioned.path, "http://daemon");
    const id = decodeURIComponent(pathname.split("/")[2] ?? "");
    const attachment = engine.containers.attach(id, readQuery(attachQuery, searchParams));
    socket.write(handshake(request.headers, headers));
    if (head.length > 0) socket.unshift(head);
    const stream = new WebSocketStream(socket);
    await attachment.join(attachment.tty ? stream : withoutFrames(stream));
    stream.end();
  } catch (error) {
    if (socket.bytesWritten === 0) refuseRaw(socket, headers, error);
    else {
      log.error({ err: error, url: request.url }, "Cannot join a WebSocket and a process");
      socket.destroy();
    }
  } finally {
    leaving.removeEventListener("abort", cut);
  }
}

/** What is written loses Docker's frames; what is read is the client's. */
function withoutFrames(stream: WebSocketStream): Duplex {
  const outgoing = unframe();
  outgoing.pipe(stream);
  // The declarations know of one stream at a time only.
  const joined = Duplex.from({ writable: outgoing, readable: stream } as unknown as NodeJS.ReadWriteStream);
  stream.once("close", () => joined.destroy());
  return joined;
}
