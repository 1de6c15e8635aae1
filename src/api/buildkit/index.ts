import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import type { ApiContext } from "../context.ts";
import { serveGrpc } from "../grpc/server.ts";
import { codes, RpcError } from "../grpc/status.ts";
import { bridgeMethods } from "./bridge.ts";
import { controlMethods } from "./control.ts";
import { Jobs } from "./jobs.ts";
import { Sessions, sessionIdOf } from "./sessions.ts";

/**
 * What buildx, and so `docker build` and Compose, build with: BuildKit's protocol, as far as it takes to have Dockerfiles built. What is
 * built, and how, is the same as with POST /build.
 */
export class BuildKit {
  readonly #context: ApiContext;
  readonly #sessions = new Sessions();

  constructor(context: ApiContext) {
    this.#context = context;
  }

  /** What becomes of the connection of a request; "invalid" for a session without a name. */
  handlerOf(path: "/grpc" | "/session", headers: IncomingHttpHeaders): (socket: Socket) => void {
    if (path === "/grpc") return (socket) => this.#serve(socket);
    const id = sessionIdOf(headers);
    return (socket) => this.#addSession(id, socket, headers);
  }

  /** Answers the calls that come on a connection which has left HTTP/1.1. */
  #serve(socket: Socket): void {
    const { engine, log, leaving } = this.#context;
    const jobs = new Jobs();
    const { builds, images, networks } = engine;
    const means = { builds, images, sessions: this.#sessions, jobs, hostGateway: () => networks.hostGateway() };
    const methods = new Map([...controlMethods(means, jobs), ...bridgeMethods(means, jobs)]);
    const session = serveGrpc(socket, {
      methods,
      unknown: notThere,
      defect: (err, path) => log.error({ err, path }, "Cannot answer a call"),
    });
    session.once("close", () => void this.#removeLeft(jobs));
    endWith(leaving, () => session.destroy(), socket);
  }

  /** Images that were only made for other builds of a connection. Somebody may have begun to use one: it stays then. */
  async #removeLeft(jobs: Jobs): Promise<void> {
    const { engine, log } = this.#context;
    for (const id of jobs.left()) {
      await engine.images.remove(id, { force: false }).catch((err) => log.debug({ err, id }, "An image stays"));
    }
  }

  /** Takes a connection which has left HTTP/1.1 as the session of a client that builds. */
  #addSession(id: string, socket: Socket, headers: IncomingHttpHeaders): void {
    this.#sessions.add(id, socket, headers);
    endWith(this.#context.leaving, () => socket.destroy(), socket);
  }
}

function endWith(signal: AbortSignal, end: () => void, socket: Socket): void {
  signal.addEventListener("abort", end);
  socket.once("close", () => signal.removeEventListener("abort", end));
  if (signal.aborted) end();
}

function notThere(path: string): Error {
  if (path.includes("BuildHistory")) {
    return new RpcError(codes.unimplemented, "Cannot tell of earlier builds: Sampan keeps no history of builds");
  }
  const remedy = "Sampan builds Dockerfiles by itself, and serves as much of BuildKit's protocol as that takes";
  return new RpcError(codes.unimplemented, `Cannot call ${path}: ${remedy}`);
}
