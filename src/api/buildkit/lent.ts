import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BuildSettings, WantedSettings } from "../../build/types.ts";
import { parseReference } from "../../registry/reference.ts";
import type { RegistryAuth } from "../../registry/types.ts";
import { codes, RpcError } from "../grpc/status.ts";
import {
  Bytes,
  CheckAgentRequest,
  CheckAgentResponse,
  CredentialsRequest,
  CredentialsResponse,
  SecretRequest,
  SecretResponse,
} from "./messages/session.ts";
import type { Session } from "./sessions.ts";

const methods = {
  credentials: "/moby.filesync.v1.Auth/Credentials",
  secret: "/moby.buildkit.secrets.v1.Secrets/GetSecret",
  checkAgent: "/moby.sshforward.v1.SSH/CheckAgent",
  forwardAgent: "/moby.sshforward.v1.SSH/ForwardAgent",
} as const;

/** Secrets by which a repository's server may be told who asks: needed before any command is known. */
const gitSecrets = ["GIT_AUTH_TOKEN", "GIT_AUTH_HEADER"];

/** What the client of a build lends while it lasts: secrets, its ssh agents, credentials for registries. */
export class Lent implements AsyncDisposable {
  readonly #session: Session;
  readonly #signal: AbortSignal;
  readonly #closing = new AsyncDisposableStack();
  readonly #agents = new Map<string, string>();
  /** By host. */
  readonly #credentials = new Map<string, Promise<RegistryAuth | undefined>>();

  constructor(session: Session, signal: AbortSignal) {
    this.#session = session;
    this.#signal = signal;
  }

  /** For repositories: those with the usual ids. */
  async beforehand(): Promise<Pick<BuildSettings, "secrets" | "agents">> {
    return await this.lend({ secrets: gitSecrets, agents: ["default"] });
  }

  /** What the client has of these; what it does not have is left out. */
  async lend(wanted: WantedSettings): Promise<Pick<BuildSettings, "secrets" | "agents">> {
    const secrets = new Map<string, Uint8Array>();
    for (const id of this.#session.serves(methods.secret) ? wanted.secrets : []) {
      const data = await this.#secret(id);
      if (data !== undefined) secrets.set(id, data);
    }
    for (const id of this.#session.serves(methods.checkAgent) ? wanted.agents : []) await this.#lendAgent(id);
    return { secrets, agents: this.#agents };
  }

  /** What the client's configuration has for the registry of a reference. */
  readonly auth = (reference: string): Promise<RegistryAuth | undefined> => {
    const { domain } = parseReference(reference);
    const host = domain === "docker.io" ? "registry-1.docker.io" : domain;
    const known = this.#credentials.get(host) ?? this.#credentialsOf(host);
    this.#credentials.set(host, known);
    return known;
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closing.disposeAsync();
  }

  async #credentialsOf(host: string): Promise<RegistryAuth | undefined> {
    if (!this.#session.serves(methods.credentials)) return undefined;
    const types = { request: CredentialsRequest, response: CredentialsResponse };
    const { username, secret } = await this.#session.client.call(methods.credentials, types, { host }, this.#signal);
    if (secret === "") return undefined;
    return username === "" ? { identitytoken: secret } : { username, password: secret };
  }

  async #secret(id: string): Promise<Uint8Array | undefined> {
    const types = { request: SecretRequest, response: SecretResponse };
    return await ifThere(async () => {
      const { data } = await this.#session.client.call(methods.secret, types, { id }, this.#signal);
      return Buffer.from(data);
    });
  }

  /** A socket on this machine for each of the client's agents: every connection to it is one to the client's. */
  async #lendAgent(id: string): Promise<void> {
    if (this.#agents.has(id)) return;
    const types = { request: CheckAgentRequest, response: CheckAgentResponse };
    const check = () => this.#session.client.call(methods.checkAgent, types, { id }, this.#signal);
    if ((await ifThere(check)) === undefined) return;
    const directory = await mkdtemp(join(tmpdir(), "sampan-agent-"));
    this.#closing.defer(() => rm(directory, { recursive: true, force: true }));
    const server = createServer((socket) => {
      this.#forward(id, socket).catch(() => socket.destroy());
    });
    const path = join(directory, "agent");
    server.listen(path);
    await once(server, "listening");
    this.#closing.defer(() => void server.close());
    this.#agents.set(id, path);
  }

  async #forward(id: string, socket: Socket): Promise<void> {
    const types = { request: Bytes, response: Bytes };
    using exchange = this.#session.client.open(methods.forwardAgent, types, { "buildkit.ssh.id": id }, this.#signal);
    const outward = async () => {
      for await (const data of socket) await exchange.send({ data });
      exchange.end();
    };
    const done = outward();
    done.catch(() => socket.destroy());
    for await (const { data } of exchange.messages) socket.write(data);
    socket.end();
    await done;
  }
}

/** Undefined when the client does not have it: not found, or not wanted to be given away. */
async function ifThere<Value>(ask: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await ask();
  } catch (error) {
    const absent: readonly number[] = [codes.notFound, codes.unknown, codes.unimplemented];
    if (error instanceof RpcError && absent.includes(error.code)) return undefined;
    throw error;
  }
}
