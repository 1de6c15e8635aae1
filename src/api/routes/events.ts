import * as z from "zod";
import type { EngineEvent, EventLog } from "../../engine/types.ts";
import { SampanError } from "../../errors/index.ts";
import type { ApiContext } from "../context.ts";
import { queryOf } from "../http/answers.ts";
import { departure } from "../http/departure.ts";
import type { Api } from "../http/fastify.ts";
import { pump } from "../http/pump.ts";
import { type ApiVersion, versionNumber } from "../http/versions.ts";
import { matchesEvent } from "../requests/event-filters.ts";
import { parseFilters } from "../requests/filters.ts";
import { readQuery, text } from "../requests/query.ts";
import { parseTimestamp } from "../requests/timestamps.ts";
import { eventJson } from "../views/event.ts";

const v1_46 = versionNumber("1.46");
const v1_52 = versionNumber("1.52");

const eventsQuery = z.object({ since: text(), until: text(), filters: text() });

/** Events a client may be behind before it is cut off: it does not read. */
const maxBacklog = 8192;

interface Period {
  readonly since: bigint | undefined;
  readonly until: bigint | undefined;
}

export function eventRoutes(app: Api, { engine, leaving }: ApiContext): void {
  app.get("/events", async (request, reply) => {
    const { version } = request.raw.versioned;
    const query = readQuery(eventsQuery, queryOf(request));
    const period = { since: parseTimestamp(query.since), until: parseTimestamp(query.until) };
    if (period.until !== undefined && (period.since ?? 0n) > period.until) {
      const text = `\`since\` time (${query.since}) cannot be after \`until\` time (${query.until})`;
      throw new SampanError("invalid", text);
    }
    const filters = parseFilters(query.filters);
    const signal = departure(request.raw, reply.raw, leaving);
    reply.hijack();
    reply.raw.writeHead(200, { "Content-Type": contentType(request.headers.accept, version) });
    reply.raw.flushHeaders();
    const wanted = (event: EngineEvent): boolean => known(event, version) && matchesEvent(event, filters);
    await pump(lines(engine.events, period, wanted, signal), reply.raw);
  });
}

function contentType(accept: string | undefined, version: ApiVersion): string {
  for (const type of ["application/json-seq", "application/x-ndjson", "application/jsonl"]) {
    if (accept?.includes(type)) return type;
  }
  return version < v1_52 ? "application/json" : "application/jsonl";
}

/** Old clients do not expect to hear of images that were created. */
function known(event: EngineEvent, version: ApiVersion): boolean {
  return version >= v1_46 || event.type !== "image" || event.action !== "create";
}

/** What is remembered since a moment, then what happens, until another or until nobody listens. */
async function* lines(
  log: EventLog,
  { since, until }: Period,
  wanted: (event: EngineEvent) => boolean,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const queue: EngineEvent[] = [];
  let wake: (() => void) | undefined;
  const unsubscribe = log.subscribe((event) => {
    queue.push(event);
    wake?.();
  });
  const end = endOf(until, signal);
  const onEnd = (): void => wake?.();
  end.addEventListener("abort", onEnd);
  const inPeriod = ({ timeNano }: EngineEvent): boolean => until === undefined || timeNano <= until;
  try {
    if (since !== undefined || until !== undefined) {
      for (const event of log.recent()) {
        if (event.timeNano >= (since ?? 0n) && inPeriod(event) && wanted(event)) yield `${eventJson(event)}\n`;
      }
    }
    while (!end.aborted && queue.length <= maxBacklog) {
      const event = queue.shift();
      if (event === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      } else if (inPeriod(event) && wanted(event)) yield `${eventJson(event)}\n`;
    }
  } finally {
    unsubscribe();
    end.removeEventListener("abort", onEnd);
  }
}

/** Fires when `signal` does or the moment has come. */
function endOf(until: bigint | undefined, signal: AbortSignal): AbortSignal {
  if (until === undefined) return signal;
  const left = Number(until / 1_000_000n) - Date.now();
  // A longer wait than a timer can express is as good as none.
  if (left > 2 ** 31 - 1) return signal;
  return AbortSignal.any([signal, left <= 0 ? AbortSignal.abort() : AbortSignal.timeout(left)]);
}
