import type { ServerResponse } from "node:http";
import * as z from "zod";
import type { BuildEvent, BuildResult } from "../../build/types.ts";
import { kindOf, messageOf, SampanError } from "../../errors/index.ts";
import { formatPlatform } from "../../images/platform.ts";
import type { ApiContext } from "../context.ts";
import { queryOf, sendJson } from "../http/answers.ts";
import { departure } from "../http/departure.ts";
import type { Api, ApiReply } from "../http/fastify.ts";
import { ProgressWriter } from "../http/progress-writer.ts";
import { pump, writable } from "../http/pump.ts";
import { uploaded } from "../http/uploaded.ts";
import { type ParsedBuild, parseBuild } from "../requests/build.ts";
import { pruneMatcher } from "../requests/build-filters.ts";
import { flag, integer, readQuery } from "../requests/query.ts";
import { ClassicBuildStream } from "../views/build-stream.ts";

const pruneQuery = z.object({ all: flag(), "keep-storage": integer(), "reserved-space": integer() });

/** Building images, and the cache of that. */
export function buildRoutes(app: Api, { engine, leaving }: ApiContext): void {
  app.post("/build", async (request, reply) => {
    const { headers } = request;
    const asked = parseBuild(queryOf(request), {
      registries: header(headers["x-registry-config"]),
      settings: header(headers["x-sampan-build"]),
    });
    const signal = departure(request.raw, reply.raw, leaving);
    // Beside a remote context only clients that say so send something.
    const sends = asked.remote === undefined || typeof asked.settings === "function";
    const context = sends ? uploaded(request.raw) : undefined;
    const ready = pressureOf(reply.raw);
    const build = (told: Told) => engine.builds.build({ ...asked, ...told, ready, context, signal });
    try {
      await (asked.events ? tellEvents(reply, build) : tellClassic(reply, asked, build));
    } finally {
      // What a refused context still sends is in the way of the connection's next request.
      request.raw.resume();
    }
  });
  app.post("/build/prune", async (request, reply) => {
    const query = queryOf(request);
    const asked = readQuery(pruneQuery, query);
    const keepStorage = asked["reserved-space"] ?? asked["keep-storage"] ?? 0;
    const matches = pruneMatcher(query.get("filters"));
    const { deleted, reclaimed } = await engine.builds.prune({ all: asked.all, keepStorage, matches });
    sendJson(reply, { CachesDeleted: deleted, SpaceReclaimed: reclaimed });
  });
  app.post("/build/cancel", () => {
    throw new SampanError("unsupported", "Cannot cancel a build by its id: builds end when their client leaves");
  });
}

/** What to wait for while the client reads more slowly than it is written to. */
function pressureOf(response: ServerResponse): () => Promise<void> | undefined {
  let waiting: Promise<void> | undefined;
  return () => {
    if (!response.writableNeedDrain || response.destroyed) return undefined;
    waiting ??= writable(response).finally(() => {
      waiting = undefined;
    });
    return waiting;
  };
}

interface Told {
  emit(event: BuildEvent): void;
  planned(steps: Parameters<ClassicBuildStream["planned"]>[0]): void;
}

type Build = (told: Told) => Promise<BuildResult>;

/** Docker's lines. A failure before the first of them is a status code. */
async function tellClassic(reply: ApiReply, asked: ParsedBuild, build: Build): Promise<void> {
  const { quiet, output, call, platforms } = asked;
  if (platforms.length > 1) {
    const which = platforms.map(formatPlatform).join(",");
    const remedy = "this request makes one image; build with sampan build --platform, or each by itself";
    throw new SampanError("invalid", `Cannot build for ${which} at once: ${remedy}`);
  }
  if (call !== "build") throw new SampanError("invalid", "Cannot answer calls but with progress=events");
  if (output.type !== "image") {
    throw new SampanError("unsupported", "Cannot send files to this client: build with sampan build --output");
  }
  const writer = new ProgressWriter(reply.raw);
  const stream = new ClassicBuildStream((line) => {
    if (!quiet) writer.line(line);
  });
  try {
    const result = await build({ emit: (event) => stream.event(event), planned: (steps) => stream.planned(steps) });
    reply.hijack();
    stream.finished(result);
    if (quiet && result.id !== undefined) writer.line({ stream: `${result.id}\n` });
    writer.end();
  } catch (error) {
    const { step, exitCode, message } = failureOf(error);
    stream.failed(step);
    if (!writer.begun) throw error;
    reply.hijack();
    writer.fail(message, exitCode);
  }
}

/** Events, one a line; an output that is a stream follows its own line. */
async function tellEvents(reply: ApiReply, build: Build): Promise<void> {
  const { raw } = reply;
  const emit = (event: BuildEvent) => {
    if (raw.destroyed) return;
    if (!raw.headersSent) raw.writeHead(200, { "Content-Type": "application/x-ndjson" });
    raw.write(`${JSON.stringify(event)}\n`);
  };
  reply.hijack();
  let sendsOutput = false;
  try {
    const { id, digest, tags, stream, metadata } = await build({ emit, planned: () => undefined });
    await using output = stream;
    const found = {
      ...(id !== undefined && { id }),
      ...(digest !== undefined && { digest }),
      ...(metadata && { metadata }),
    };
    emit({ type: "result", ...found, tags });
    if (output !== undefined) {
      emit({ type: "output", output: "tar" });
      sendsOutput = true;
      await pump(output, raw);
    }
  } catch (error) {
    // Nobody would tell an event from the archive: it breaks off.
    if (sendsOutput) return void raw.destroy();
    const { step, exitCode } = failureOf(error);
    const more = { ...(step !== undefined && { step }), ...(exitCode !== undefined && { exitCode }) };
    emit({ type: "error", kind: kindOf(error), message: messageOf(error), ...more });
  }
  raw.end();
}

interface Failure {
  /** In the classic builder's words. */
  readonly message: string;
  readonly step?: string;
  readonly exitCode?: number;
}

function failureOf(error: unknown): Failure {
  const step = error instanceof Error && "step" in error ? String(error.step) : undefined;
  const cause = error instanceof Error && step !== undefined ? error.cause : error;
  const named = step === undefined ? {} : { step };
  if (cause instanceof Error && "exitCode" in cause && "argv" in cause) {
    const exitCode = Number(cause.exitCode);
    const command = (cause.argv as readonly string[]).join(" ");
    return { ...named, exitCode, message: `The command '${command}' returned a non-zero code: ${exitCode}` };
  }
  return { ...named, message: messageOf(cause) };
}

function header(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
