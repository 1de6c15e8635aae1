import { defineCommand } from "../command.ts";
import { confirm } from "../confirm.ts";
import type { Context } from "../context.ts";
import { invalid } from "../errors.ts";
import { flag } from "../options.ts";
import type { Filters } from "../parsing/filter.ts";
import type { Pruned } from "../prune.ts";
import { printPruned, pruneContainers, pruneFilter, pruneImages, pruneNetworks, pruneVolumes } from "../prune.ts";

interface Choices {
  readonly all: boolean;
  readonly volumes: boolean;
  readonly filter: Filters;
}

export default defineCommand({
  usage: "[OPTIONS]",
  summary: "Remove unused data",
  arity: { min: 0, max: 0 },
  options: {
    all: flag("a", "Remove all unused images not just dangling ones"),
    filter: pruneFilter,
    force: flag("f", "Do not prompt for confirmation"),
    volumes: flag("", "Prune anonymous volumes"),
  },
  run: async (context, _args, values) => {
    if (values.volumes && values.filter.until !== undefined) {
      throw invalid(`the "until" filter is not supported with "--volumes"`);
    }
    if (!values.force && !(await confirm(context, warning(values)))) return 0;
    let bytes = 0;
    for await (const pruned of prunes(context, values)) {
      if (pruned.text !== "") context.print(pruned.text);
      bytes += pruned.bytes;
    }
    printPruned(context, { text: "", bytes });
    return 0;
  },
});

function warning({ all, volumes, filter }: Choices): string {
  const kinds = [
    "all stopped containers",
    "all networks not used by at least one container",
    ...(volumes ? ["all anonymous volumes not used by at least one container"] : []),
    all ? "all images without at least one container associated to them" : "all dangling images",
    "unused build cache",
  ];
  const filters = Object.entries(filter).flatMap(([name, values]) => values.map((value) => `  - ${name}=${value}`));
  const applied = filters.length === 0 ? [] : ["", "  Items to be pruned will be filtered with:", ...filters];
  return ["WARNING! This will remove:", ...kinds.map((kind) => `  - ${kind}`), ...applied, ""].join("\n");
}

/** In docker's order: what goes first frees what goes later. */
async function* prunes(context: Context, { all, volumes, filter }: Choices): AsyncGenerator<Pruned> {
  yield await pruneContainers(context, filter);
  yield await pruneNetworks(context, filter);
  if (volumes) yield await pruneVolumes(context, filter);
  yield await pruneImages(context, filter, all);
}
