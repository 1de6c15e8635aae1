import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { messageOf, SampanError } from "../../errors/index.ts";
import { answerRegistryRequest } from "./handler.ts";
import type { Origin } from "./origin.ts";

/** One request that was answered, for people to see. */
export interface ServedRequest {
  readonly client: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** Milliseconds. */
  readonly took: number;
}

export interface ServeOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** PEM. Without them plain HTTP is spoken, which clients take from loopback only unless they are told to. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  served(request: ServedRequest): void;
}

/** A registry that listens. */
export interface RegistryServer {
  /** "http://127.0.0.1:5000". */
  readonly address: string;
  /** Ends it, answers under way too. */
  close(): Promise<void>;
}

/** Serves images by the distribution API. Kind "conflict" when the address cannot be listened at. */
export async function serveRegistry(origin: Origin, options: ServeOptions): Promise<RegistryServer> {
  const listener: RequestListener = (request, response) => {
    const start = performance.now();
    const { method = "", url = "" } = request;
    const client = request.socket.remoteAddress ?? "";
    response.once("close", () => {
      options.served({ client, method, path: url, status: response.statusCode, took: performance.now() - start });
    });
    answerRegistryRequest(origin, request, response);
  };
  const server = await makeServer(options, listener);
  const { host, port } = options;
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (cause) {
    throw new SampanError("conflict", `Cannot serve images at ${host}:${port}: ${messageOf(cause)}`, { cause });
  }
  // A connection that could not be taken, for want of descriptors, is that client's misfortune.
  server.on("error", () => undefined);
  const own = (server.address() as AddressInfo).port;
  const scheme = options.tls === undefined ? "http" : "https";
  return {
    address: `${scheme}://${host.includes(":") ? `[${host}]` : host}:${own}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function makeServer({ tls }: ServeOptions, listener: RequestListener): Promise<Server> {
  if (tls === undefined) return createServer(listener);
  const { createServer: createTlsServer } = await import("node:https");
  try {
    return createTlsServer(tls, listener);
  } catch (cause) {
    throw new SampanError("invalid", `Cannot serve images by TLS: ${messageOf(cause)}`, { cause });
  }
}
