import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { ApiMessage } from "./message.ts";

/** The requests that end HTTP on their connection, whatever the method of their refusal. */
const pattern =
  /^(?:\/v[0-9.]+)?\/(?:containers\/[^/?]+\/attach|exec\/[^/?]+\/start|sampan\/owners\/[^/?]+|grpc|session)(?:\?|$)/;

/** The one that becomes a WebSocket. */
const webSocketPattern = /^(?:\/v[0-9.]+)?\/containers\/[^/?]+\/attach\/ws(?:\?|$)/;

/** Takes a connection over. `head` is what came after the request's header: its body, if it has one, and raw input. */
export type Hijack = (request: ApiMessage, socket: Socket, head: Buffer) => void;

/** What Node's HTTP server keeps on a connection. Tested end to end: should it ever change, those tests say so. */
interface ParsedSocket extends Socket {
  readonly parser?: { onIncoming(request: ApiMessage, keepAlive: boolean): number };
}

/** llhttp's "upgrade, and do not look at the body". */
const stopParsing = 2;

/**
 * Hands requests that hijack their connection to `hijack`, with every byte after the header.
 *
 * Docker's clients hijack in two forms, with an Upgrade header and without. Node's "upgrade" event knows the first only;
 * of the second its parser would read the client's raw input as further requests, and execute them. So the parser is
 * told to stop behind the header of either form, which ends in the "upgrade" event, too.
 */
export function interceptHijacks(server: Server, hijack: Hijack): void {
  server.on("connection", (socket: ParsedSocket) => {
    const { parser } = socket;
    if (parser === undefined) return;
    const usual = parser.onIncoming;
    parser.onIncoming = (request, keepAlive) => {
      const wanted = request.method === "POST" ? pattern : request.method === "GET" ? webSocketPattern : undefined;
      if (wanted?.test(request.url ?? "") !== true) return usual(request, keepAlive);
      request.upgrade = true;
      return stopParsing;
    };
  });
  // Any other Upgrade is ignored, as HTTP wants it: the listener below is there for the two routes alone.
  Object.assign(server, { shouldUpgradeCallback: () => false });
  server.on("upgrade", (request, socket, head) => {
    socket.on("error", () => socket.destroy());
    hijack(request as ApiMessage, socket as Socket, head);
  });
}

declare module "node:http" {
  interface IncomingMessage {
    /** Set by Node's parser for requests with an Upgrade header. */
    upgrade?: boolean | null;
  }
}
