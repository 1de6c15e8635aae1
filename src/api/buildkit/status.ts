import { createHash } from "node:crypto";
import type { BuildEvent } from "../../build/types.ts";
import type { Sent } from "../grpc/schema.ts";
import type { StatusResponse, Timestamp } from "./messages/control.ts";

type Said = Sent<typeof StatusResponse>;

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
