import * as z from "zod";
import type { LogOptions, WaitCondition } from "../../engine/types.ts";
import { messageOf, SampanError } from "../../errors/index.ts";
import type { ApiContext } from "../context.ts";
import { pathOf, queryOf } from "../http/answers.ts";
import { departure } from "../http/departure.ts";
import type { Api } from "../http/fastify.ts";
import { pumpBorrowed } from "../http/pump.ts";
import { type ApiVersion, versionNumber } from "../http/versions.ts";
import { flag, readQuery, text } from "../requests/query.ts";
import { parseTimestamp } from "../requests/timestamps.ts";
import type { WaitResponse } from "../shapes/container.ts";

const v1_30 = versionNumber("1.30");
const v1_42 = versionNumber("1.42");

const waitQuery = z.object({ condition: text() });
const logsQuery = z.object({
  follow: flag(),
  stdout: flag(),
  stderr: flag(),
  since: text(),
  until: text(),
  timestamps: flag(),
  details: flag(),
  tail: text(),
});

/** What is waited for: the end of a container, its output. */
export function containerWatchRoutes(app: Api, { engine, leaving, log }: ApiContext): void {
  app.post("/containers/:id/wait", async (request, reply) => {
    const { version } = request.raw.versioned;
    const condition = conditionOf(readQuery(waitQuery, queryOf(request)).condition, version);
    const signal = departure(request.raw, reply.raw, leaving);
    const { result } = engine.containers.wait(pathOf(request).id ?? "", { condition, signal });
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, { "Content-Type": "application/json" });
    // docker run starts the container only after it has seen these.
    if (version >= v1_30) raw.flushHeaders();
    try {
      const { exitCode } = await result;
      const answer: WaitResponse = { StatusCode: exitCode };
      raw.end(`${JSON.stringify(answer)}\n`);
    } catch (error) {
      if (!signal.aborted) log.error({ err: error }, "Cannot wait for a container");
      raw.destroy();
    }
  });
  app.get("/containers/:id/logs", async (request, reply) => {
    const options = logOptions(queryOf(request));
    const signal = departure(request.raw, reply.raw, leaving);
    const { tty, opened, chunks } = engine.containers.logs(pathOf(request).id ?? "", { ...options, signal });
    // Who has seen the headers may remove the container.
    await opened;
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, { "Content-Type": streamType(tty, request.raw.versioned.version) });
    raw.flushHeaders();
    try {
      await pumpBorrowed(chunks, raw);
    } catch (error) {
      if (!raw.destroyed) raw.end(inStream(`Error grabbing logs: ${messageOf(error)}\n`, tty));
    }
  });
}

function conditionOf(given: string | undefined, version: ApiVersion): WaitCondition {
  if (given === undefined || version < v1_30) return "not-running";
  if (given === "not-running" || given === "next-exit" || given === "removed") return given;
  throw new SampanError("invalid", `invalid condition: ${JSON.stringify(given)}`);
}

function logOptions(query: URLSearchParams): LogOptions {
  const given = readQuery(logsQuery, query);
  if (!given.stdout && !given.stderr) {
    throw new SampanError("invalid", "Bad parameters: you must choose at least one stream");
  }
  return {
    ...given,
    since: parseTimestamp(given.since),
    until: parseTimestamp(given.until),
    // Whatever is not a number of lines means all of them.
    tail: given.tail !== undefined && /^\d{1,15}$/.test(given.tail) ? Number(given.tail) : undefined,
  };
}

function streamType(tty: boolean, version: ApiVersion): string {
  return `application/vnd.docker.${!tty && version >= v1_42 ? "multiplexed" : "raw"}-stream`;
}

/** A message among the output: on stderr where the stream is framed. */
function inStream(message: string, tty: boolean): Buffer {
  const text = Buffer.from(message);
  if (tty) return text;
  const header = Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(text.length, 4);
  return Buffer.concat([header, text]);
}
