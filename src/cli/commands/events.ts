import type { EventMessage } from "../../api/shapes/event.ts";
import { defineCommand } from "../command.ts";
import { filters, parsed, text } from "../options.ts";
import { parseMoment } from "../parsing/moment.ts";

export default defineCommand({
  usage: "[OPTIONS]",
  summary: "Get real time events from the server",
  arity: { min: 0, max: 0 },
  options: {
    filter: filters("f", "Filter output based on conditions provided"),
    format: text("", "Format output using a custom template: 'json' or a Go template"),
    since: parsed("", "Show all events created since timestamp", "string", (value) => parseMoment(value)),
    until: parsed("", "Stream events until this timestamp", "string", (value) => parseMoment(value)),
  },
  run: async (context, _args, { filter, format, since, until }) => {
    const show = await renderer(format);
    for await (const line of await context.client.events({ since, until, filters: filter })) context.print(show(line));
    return 0;
  },
});

async function renderer(format: string | undefined): Promise<(line: string) => string> {
  if (format === undefined || format === "") return (line) => sentence(JSON.parse(line) as EventMessage, line);
  if (format === "json") return (line) => line;
  const { compileTemplate } = await import("../template/index.ts");
  const render = compileTemplate(format);
  return (line) => {
    const event = JSON.parse(line) as EventMessage;
    return render({
      ...event,
      ID: event.id,
      Status: event.status,
      From: event.from,
      Time: event.time,
      Scope: event.scope,
    });
  };
}

/** As docker: `2024-01-02T03:04:05.000000006Z container start 3f2a… (image=busybox, name=x)`. */
function sentence({ Type, Action, Actor, time }: EventMessage, line: string): string {
  // More digits than a number holds.
  const nanoseconds = /"timeNano":\d*?(\d{9})\D/.exec(line)?.[1] ?? "000000000";
  const attributes = Object.keys(Actor.Attributes)
    .toSorted()
    .map((name) => `${name}=${Actor.Attributes[name]}`);
  const about = attributes.length === 0 ? "" : ` (${attributes.join(", ")})`;
  return `${localTime(time)}.${nanoseconds}${zone(time)} ${Type} ${Action} ${Actor.ID}${about}`;
}

function localTime(seconds: number): string {
  const offset = new Date(seconds * 1000).getTimezoneOffset() * 60;
  return new Date((seconds - offset) * 1000).toISOString().slice(0, 19);
}

function zone(seconds: number): string {
  const minutes = -new Date(seconds * 1000).getTimezoneOffset();
  if (minutes === 0) return "Z";
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
}
