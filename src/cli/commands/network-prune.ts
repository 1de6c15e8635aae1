import { defineCommand } from "../command.ts";
import { confirm } from "../confirm.ts";
import { flag, folded } from "../options.ts";
import type { Filters } from "../parsing/filter.ts";
import { addFilter } from "../parsing/filter.ts";

const warning = "WARNING! This will remove all custom networks not used by at least one container.";

export default defineCommand({
  usage: "[OPTIONS]",
  summary: "Remove all unused networks",
  arity: { min: 0, max: 0 },
  options: {
    filter: folded<Filters>("", 'Provide filter values (e.g. "until=<timestamp>")', "filter", {
      initial: {},
      read: addFilter,
    }),
    force: flag("f", "Do not prompt for confirmation"),
  },
  run: async (context, _args, { filter, force }) => {
    if (!force && !(await confirm(context, warning))) return 0;
    const filters = Object.keys(filter).length === 0 ? undefined : filter;
    const { NetworksDeleted: deleted } = await context.client.networks.prune({ filters });
    if (deleted === null || deleted.length === 0) return 0;
    context.print(["Deleted Networks:", ...deleted, ""].join("\n"));
    return 0;
  },
});
