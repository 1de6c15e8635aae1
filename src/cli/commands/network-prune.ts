import { defineCommand } from "../command.ts";
import { confirm } from "../confirm.ts";
import { filters, flag } from "../options.ts";
import { pruneNetworks } from "../prune.ts";

const warning = "WARNING! This will remove all custom networks not used by at least one container.";

export default defineCommand({
  usage: "[OPTIONS]",
  summary: "Remove all unused networks",
  arity: { min: 0, max: 0 },
  options: {
    filter: filters("", 'Provide filter values (e.g. "until=<timestamp>")'),
    force: flag("f", "Do not prompt for confirmation"),
  },
  run: async (context, _args, { filter, force }) => {
    if (!force && !(await confirm(context, warning))) return 0;
    const { text } = await pruneNetworks(context, filter);
    if (text !== "") context.print(text);
    return 0;
  },
});
