import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from "node:http";

export interface FrontAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
  /** The connection is cut after this many bytes of the body. */
  readonly cutAfter?: number;
  /** The connection is cut instead of an answer. */
  readonly drop?: boolean;
}

export interface FrontRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly bytes: Buffer;
  /** Asks the registry behind. */
  forward(): Promise<FrontAnswer>;
}

export interface Front {
  readonly host: string;
  /** "GET /v2/… bytes=…" of every request so far. */
  readonly seen: string[];
  close(): Promise<void>;
}

/** A web server in front of a registry that misbehaves, or asks for tokens, as `answer` says. */
export async function startFront(
  upstream: string,
  answer: (request: FrontRequest) => Promise<FrontAnswer>,
): Promise<Front> {
  const seen: string[] = [];
  const server = createServer((incoming, response) => {
    const { method = "GET", url: path = "/", headers } = incoming;
    seen.push([method, path, headers.range].filter((part) => part !== undefined).join(" "));
    collect(incoming)
      .then((bytes) => {
        const forwarding = () => forward(upstream, incoming, bytes);
        return answer({ method, path, headers, body: bytes.toString(), bytes, forward: forwarding });
      })
      .then((result) => send(response, method, result))
      .catch((error) => response.writeHead(502).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const host = `127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { host, seen, close };
}

export function plain(status: number, body: unknown = {}, headers: Record<string, string> = {}): FrontAnswer {
  return { status, headers, body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)) };
}

function send(response: ServerResponse, method: string, answer: FrontAnswer): void {
  const { status, headers, body, cutAfter } = answer;
  if (answer.drop) {
    response.destroy();
    return;
  }
  const length = headers["content-length"] ?? String(body.length);
  response.writeHead(status, { ...headers, "content-length": method === "HEAD" ? length : String(body.length) });
  if (method === "HEAD") response.end();
  else if (cutAfter === undefined || cutAfter >= body.length) response.end(body);
  else response.write(body.subarray(0, cutAfter), () => setTimeout(() => response.destroy(), 20));
}

/** With the front's own name, so that the registry's answers lead back to the front. */
function forward(upstream: string, { method, url, headers }: IncomingMessage, body: Buffer): Promise<FrontAnswer> {
  const { authorization: _, ...rest } = headers;
  const options = { method, headers: rest, agent: false as const };
  return new Promise((resolve, reject) => {
    const sent = request(`http://${upstream}${url}`, options, (answer) => {
      collect(answer).then((body) => {
        const kept = Object.entries(answer.headers).filter(([name]) => !["connection", "keep-alive"].includes(name));
        const flat = Object.fromEntries(kept.map(([name, value]) => [name, String(value)]));
        resolve({ status: answer.statusCode ?? 0, headers: flat, body });
      }, reject);
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

async function collect(incoming: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of incoming) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}
