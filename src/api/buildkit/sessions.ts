import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import { SampanError } from "../../errors/index.ts";
import { GrpcClient } from "../grpc/client.ts";
import { Expected } from "./expected.ts";

/** What a build's client offers: a gRPC server, on a connection that it has opened. */
export interface Session {
  readonly client: GrpcClient;
  /** Whether it has said that it serves a method: "/package.Service/Method". */
  serves(method: string): boolean;
}

/** The sessions of clients that build. */
export class Sessions {
  readonly #open = new Expected<Session>();

  /** Takes a connection that has left HTTP/1.1 as the session that the headers of its request describe. */
  add(id: string, socket: Socket, headers: IncomingHttpHeaders): void {
    // Of several values Node makes one.
    const methods = new Set(
      headerOf(headers, "grpc-method")
        .split(",")
        .map((method) => method.trim().toLowerCase()),
    );
    const client = new GrpcClient(socket);
    const session = { client, serves: (method: string) => methods.has(method.toLowerCase()) };
    this.#open.set(id, session);
    client.ended.addEventListener("abort", () => this.#open.delete(id, session));
  }

  /** The session, which may still be about to be opened. */
  get(id: string, signal: AbortSignal): Promise<Session> {
    const text = `no active session for ${id}: the build's client has opened none`;
    return this.#open.get(id, signal, () => new SampanError("failed", text));
  }
}

function headerOf(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[`x-docker-expose-session-${name}`];
  return Array.isArray(value) ? value.join(",") : (value ?? "");
}

/** The id of the session that a request describes; "invalid" when it names none. */
export function sessionIdOf(headers: IncomingHttpHeaders): string {
  const id = headerOf(headers, "uuid");
  if (id === "") throw new SampanError("invalid", "Cannot open a session: X-Docker-Expose-Session-Uuid is missing");
  return id;
}
