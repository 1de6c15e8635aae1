import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { invalid } from "../errors.ts";
import { parseCsv } from "../parsing/csv.ts";

/** Where a secret comes from; neither: a variable of its name, else a file of its name. */
export interface SecretSource {
  readonly id: string;
  readonly file: string | undefined;
  readonly variable: string | undefined;
}

/** An agent whose socket commands may use; without a socket the one of the caller. */
export interface AgentSource {
  readonly id: string;
  readonly socket: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** As BuildKit: a secret is no file store. */
const largestSecret = 500 * 1024;

/** `--secret id=NAME[,src=FILE|,env=VARIABLE]`. */
export function parseSecret(text: string): SecretSource {
  const found = new Map<string, string>();
  for (const field of parseCsv(text)) {
    const at = field.indexOf("=");
    if (at < 0) throw invalid(`invalid field '${field}' must be a key=value pair`);
    const key = field.slice(0, at).toLowerCase();
    if (!["type", "id", "src", "source", "env"].includes(key)) throw invalid(`unexpected key '${key}' in '${field}'`);
    found.set(key === "source" ? "src" : key, field.slice(at + 1));
  }
  const type = found.get("type");
  if (type !== undefined && type !== "file" && type !== "env") throw invalid(`unsupported secret type "${type}"`);
  const id = found.get("id") ?? "";
  if (id === "") throw invalid("secret without id: id=NAME is missing");
  const source = found.get("src");
  const variable = found.get("env") ?? (type === "env" ? source : undefined);
  return { id, file: type === "env" ? undefined : source, variable };
}

/** `--ssh default` or `--ssh ID=SOCKET`. */
export function parseAgent(text: string): AgentSource {
  const at = text.indexOf("=");
  const id = at < 0 ? text : text.slice(0, at);
  if (id === "") throw invalid(`invalid ssh agent: "${text}"`);
  return { id, socket: at < 0 ? undefined : text.slice(at + 1) };
}

/** The secrets' contents by id, base64. */
export function readSecrets(secrets: readonly SecretSource[], env: Environment): Record<string, string> {
  return Object.fromEntries(secrets.map((secret) => [secret.id, readSecret(secret, env).toString("base64")]));
}

function readSecret({ id, file, variable }: SecretSource, env: Environment): Buffer {
  if (variable !== undefined) {
    const value = env[variable];
    if (value === undefined) throw invalid(`secret ${id}: the environment variable ${variable} is not set`);
    return Buffer.from(value);
  }
  const own = file === undefined ? env[id] : undefined;
  return own === undefined ? readSecretFile(id, file ?? id) : Buffer.from(own);
}

function readSecretFile(id: string, path: string): Buffer {
  try {
    if (statSync(path).size > largestSecret) throw invalid(`secret ${id}: ${path} is larger than 500 KB`);
    return readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw invalid(`secret ${id}: open ${path}: ${code === "ENOENT" ? "no such file or directory" : code}`);
  }
}

/** The agents' sockets by id. */
export function agentSockets(agents: readonly AgentSource[], env: Environment): Record<string, string> {
  return Object.fromEntries(agents.map(({ id, socket }) => [id, agentSocket(id, socket ?? env.SSH_AUTH_SOCK)]));
}

function agentSocket(id: string, socket: string | undefined): string {
  if (socket === undefined || socket === "") {
    throw invalid(`ssh agent ${id}: SSH_AUTH_SOCK is not set, start an agent and add the key (ssh-agent, ssh-add)`);
  }
  const stat = statSync(socket, { throwIfNoEntry: false });
  if (stat === undefined) throw invalid(`ssh agent ${id}: ${socket}: no such file or directory`);
  if (!stat.isSocket())
    throw invalid(`ssh agent ${id}: ${socket} is no socket: add the key to an agent (ssh-add ${socket})`);
  return resolve(socket);
}
