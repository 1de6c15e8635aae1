import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { SampanError } from "../../errors/index.ts";

/**
 * Refuses what a browser sends over TCP. Any web page may make its reader's browser send requests to a loopback port, and
 * by giving its own name the address 127.0.0.1 (DNS rebinding) read the answers: whoever is root by loopback alone must
 * not be that for web pages. Unix sockets are out of their reach.
 */
export function refuseBrowsers({ socket, headers }: IncomingMessage): void {
  if (socket.localAddress === undefined) return;
  const host = (headers.host ?? "localhost").replace(/:\d*$/, "").replace(/^\[|\]$/g, "");
  if (headers.origin === undefined && (host === "" || host === "localhost" || isIP(host) !== 0)) return;
  throw new SampanError(
    "denied",
    "Cannot answer a web page: requests over TCP come from programs on this machine only",
  );
}
