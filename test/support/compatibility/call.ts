import { type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract } from "tar-stream";
import { framesOf } from "../raw-http.ts";

/** One request of a session. `{{name}}` in path and body stands for what an earlier step has kept under that name. */
export interface Step {
  /** Unique; differences are listed by it. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Asks for a raw connection, sends this and closes its half. */
  readonly input?: string;
  /** What else is done once the answer has begun: it is awaited only then. */
  readonly during?: readonly Step[];
  /** Remembers a member of the answer: [name, member]. */
  readonly keep?: readonly [name: string, member: string];
  /** Waits so many milliseconds before: for what nothing announces. */
  readonly pause?: number;
}

/** An answer as data: what a client can tell of it. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** Headers that clients go by; length, date and connection are HTTP's own business. */
const telling = [
  "api-version",
  "builder-version",
  "cache-control",
  "content-type",
  "docker-experimental",
  "ostype",
  "pragma",
  "swarm",
  "upgrade",
  "x-docker-container-path-stat",
];

/** Sends a request and reads its answer to the end. `meanwhile` runs between the two. */
export async function call(socketPath: string, step: Step, meanwhile: () => Promise<void>): Promise<Answer> {
  const { response, stream } = await begin(socketPath, step);
  const chunks: Buffer[] = [];
  const ended = (async () => {
    for await (const chunk of stream) chunks.push(chunk as Buffer);
  })();
  await meanwhile();
  await ended;
  const headers = Object.fromEntries(
    telling.flatMap((name) => {
      const value = response.headers[name];
      return value === undefined ? [] : [[name, String(value)]];
    }),
  );
  return { status: response.statusCode ?? 0, headers: opened(headers), body: await parsed(chunks, response) };
}

interface Begun {
  readonly response: IncomingMessage;
  readonly stream: IncomingMessage | Socket;
}

function begin(socketPath: string, { method, path, body, headers, input }: Step): Promise<Begun> {
  const isBytes = body instanceof Uint8Array;
  const payload = body === undefined ? undefined : isBytes ? body : JSON.stringify(body);
  const type = payload === undefined ? {} : { "content-type": isBytes ? "application/x-tar" : "application/json" };
  const length = payload === undefined ? {} : { "content-length": String(Buffer.byteLength(payload)) };
  const upgrade = input === undefined ? {} : { connection: "Upgrade", upgrade: "tcp" };
  const options = { socketPath, method, path, headers: { ...type, ...length, ...upgrade, ...headers }, agent: false };
  const { promise, resolve, reject } = Promise.withResolvers<Begun>();
  const sent = request(options, (response) => resolve({ response, stream: response }));
  sent.once("upgrade", (response, socket: Socket, head) => {
    if (head.length > 0) socket.unshift(head);
    socket.end(input ?? "");
    resolve({ response, stream: socket });
  });
  sent.once("error", reject);
  if (payload === undefined) sent.end();
  else sent.end(payload);
  return promise;
}

/** The state of a file travels in a header, as JSON in base64. */
function opened(headers: Record<string, string>): Record<string, string> {
  const name = "x-docker-container-path-stat";
  const stat = headers[name];
  return stat === undefined ? headers : { ...headers, [name]: Buffer.from(stat, "base64").toString() };
}

async function parsed(chunks: readonly Buffer[], response: IncomingMessage): Promise<unknown> {
  const bytes = Buffer.concat(chunks);
  const type = response.headers["content-type"] ?? "";
  const isArchive = bytes.length >= 512 && bytes.toString("latin1", 257, 262) === "ustar";
  if (isArchive) return await entriesOf(bytes);
  const isFramed = bytes.length >= 8 && (bytes[0] ?? 9) <= 2 && bytes.readUIntBE(1, 3) === 0;
  if (isFramed) return framesOf(bytes);
  const text = bytes.toString();
  if (!type.includes("json") || text === "") return text;
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const documents = lines.map((line) => JSON.parse(line) as unknown);
  return documents.length === 1 ? documents[0] : documents;
}

async function entriesOf(bytes: Buffer): Promise<unknown> {
  const entries: object[] = [];
  const tar = extract();
  tar.on("entry", ({ name, type, mode, uid, gid, size, linkname }, content, next) => {
    entries.push({ Name: name, type, mode, uid, gid, size, linkname: linkname ?? "" });
    content.resume();
    content.once("end", () => next());
  });
  await pipeline(Readable.from([bytes]), tar);
  return entries;
}
