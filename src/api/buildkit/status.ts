import { createHash } from "node:crypto";
import type { BuildEvent } from "../../build/types.ts";
import type { Sent } from "../grpc/schema.ts";
import type { StatusResponse, Timestamp } from "./messages/control.ts";

type Said = Sent<typeof StatusResponse>;

type StatusEvent = Extract<BuildEvent, { type: "status" }>;

/** A step with a status that has not ended is under way for clients, whatever is said of it: what it leaves open ends with it. */
export class OpenStatuses {
  /** By step and their own id. */
  readonly #open = new Map<string, Map<string, StatusEvent>>();

  /** What is to be told before the event. */
  before(event: BuildEvent): StatusEvent[] {
    if (event.type === "status") {
      const open = this.#open.get(event.step) ?? new Map<string, StatusEvent>();
      this.#open.set(event.step, open);
      if (event.completed === undefined) open.set(event.id, event);
      else open.delete(event.id);
    }
    if (event.type !== "step" || event.completed === undefined) return [];
    const { id, completed } = event;
    const left = [...(this.#open.get(id)?.values() ?? [])];
    this.#open.delete(id);
    return left.map((status) => ({ ...status, completed }));
  }
}

/** What a build tells, in BuildKit's words; undefined for what is said otherwise. `ref` names the build. */
export function statusOf(event: BuildEvent, ref: string): Said | undefined {
  const vertex = (step: string) => `sha256:${createHash("sha256").update(`${ref}\0${step}`).digest("hex")}`;
  const now = timestamp(Date.now());
  switch (event.type) {
    case "step": {
      const { id, name, started, completed, cached = false, error = "" } = event;
      const times = { started: timestamp(started), completed: timestamp(completed) };
      return { vertexes: [{ digest: vertex(id), name, cached, error, ...times }] };
    }
    case "log": {
      const stream = event.stream === "stdout" ? 1 : 2;
      const log = { vertex: vertex(event.step), timestamp: now, stream, message: Buffer.from(event.data) };
      return { logs: [log] };
    }
    case "status": {
      const { id, step, current = 0, total = 0, started, completed } = event;
      const times = { timestamp: now, started: timestamp(started), completed: timestamp(completed) };
      return { statuses: [{ id, name: id, vertex: vertex(step), current, total, ...times }] };
    }
    case "lint": {
      const { rule, message, description, url, range } = event.lint;
      const short = Buffer.from(`${rule}: ${message} (line ${range.start.line})`);
      const info = { filename: event.file, data: Buffer.alloc(0), language: "Dockerfile" };
      const detail = [Buffer.from(description)];
      const ranges = [{ start: { line: range.start.line }, end: { line: range.end.line } }];
      return { warnings: [{ vertex: vertex("dockerfile"), level: 1, short, detail, url, info, ranges }] };
    }
    default:
      return undefined;
  }
}

/** Of milliseconds since 1970, with fractions. */
export function timestamp(milliseconds: number | undefined): Sent<typeof Timestamp> | undefined {
  if (milliseconds === undefined) return undefined;
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds, nanos: Math.floor((milliseconds - seconds * 1000) * 1e6) };
}
