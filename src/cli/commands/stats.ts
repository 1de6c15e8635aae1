import { setTimeout } from "node:timers/promises";
import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { describe } from "../describe.ts";
import { ExitError } from "../errors.ts";
import { formatListing } from "../format/listing.ts";
import { shortId } from "../format/units.ts";
import { statsListing } from "../listings/stats.ts";
import { flag, text } from "../options.ts";
import { LiveScreen } from "../stats/live-screen.ts";
import { type ContainerUsage, usageOf } from "../stats/usage.ts";
import { Watched } from "../stats/watch.ts";

/** Milliseconds between two drawings, and between two looks at which containers there are. */
const interval = 500;
const lookInterval = 1000;

interface Values {
  readonly all: boolean;
  readonly format: string | undefined;
  readonly "no-trunc": boolean;
}

export default defineCommand({
  usage: "[OPTIONS] [CONTAINER...]",
  summary: "Display a live stream of container(s) resource usage statistics",
  arity: { min: 0 },
  options: {
    all: flag("a", "Show all containers (default shows just running)"),
    format: text("", "Format output using a custom template: 'table', 'table TEMPLATE', 'json' or a Go template"),
    "no-stream": flag("", "Disable streaming stats and only pull the first result"),
    "no-trunc": flag("", "Do not truncate output"),
  },
  run: async (context, names, values) => {
    if (values["no-stream"]) await showOnce(context, names, values);
    else await showLive(context, names, values);
    return 0;
  },
});

function linesOf(usages: readonly ContainerUsage[], values: Values): string[] {
  return formatListing(statsListing(!values["no-trunc"]), usages, { format: values.format });
}

/** All that are meant, by name or, where none was named, by id. */
async function meant(
  context: Context,
  names: readonly string[],
  { all }: Pick<Values, "all">,
): Promise<readonly string[]> {
  if (names.length > 0) return names;
  return (await context.client.containers.list({ all: all || undefined })).map(({ Id }) => shortId(Id));
}

async function showOnce(context: Context, names: readonly string[], values: Values): Promise<void> {
  const containers = await meant(context, names, values);
  const usages = await Promise.all(
    containers.map(async (name) => usageOf(name, await context.client.containers.stats(name))),
  );
  for (const line of linesOf(usages, values)) context.print(line);
}

/** Until the last named container is removed; for ever where none was named. */
async function showLive(context: Context, names: readonly string[], values: Values): Promise<void> {
  const end = new AbortController();
  const failures: unknown[] = [];
  const watched = new Watched(context.client, end.signal, (error) => failures.push(error));
  const screen = new LiveScreen(context.stdout);
  const looks = lookFor(context, watched, { names, values, signal: end.signal }).catch((error) => failures.push(error));
  try {
    while (failures.length === 0) {
      await setTimeout(interval);
      if (names.length > 0 && watched.usages.length === 0) break;
      screen.draw(linesOf(watched.usages, values));
    }
  } finally {
    end.abort();
    await looks;
  }
  if (failures.length > 0) throw new ExitError(1, describe(failures[0]));
}

/** Watches those that are named, or those that come, and no longer those that go. */
async function lookFor(
  context: Context,
  watched: Watched,
  {
    names,
    values,
    signal,
  }: { readonly names: readonly string[]; readonly values: Values; readonly signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    const containers = await meant(context, names, values);
    for (const container of containers) watched.add(container);
    if (names.length > 0) return;
    for (const { container } of watched.usages) if (!containers.includes(container)) watched.remove(container);
    await setTimeout(lookInterval, undefined, { signal }).catch(() => {});
  }
}
