import { defineCommand } from "../command.ts";
import { confirm } from "../confirm.ts";
import { filters, flag } from "../options.ts";
import { printPruned, pruneVolumes } from "../prune.ts";

const warnings = {
  anonymous: "WARNING! This will remove anonymous local volumes not used by at least one container.",
  all: "WARNING! This will remove all local volumes not used by at least one container.",
};

export default defineCommand({
  usage: "[OPTIONS]",
  summary: "Remove unused local volumes",
  arity: { min: 0, max: 0 },
  options: {
    all: flag("a", "Remove all unused volumes, not just anonymous ones"),
    filter: filters("", 'Provide filter values (e.g. "label=<label>")'),
    force: flag("f", "Do not prompt for confirmation"),
  },
  run: async (context, _args, { all, filter, force }) => {
    if (!force && !(await confirm(context, all ? warnings.all : warnings.anonymous))) return 0;
    const wanted = all ? { ...filter, all: ["true"] } : filter;
    printPruned(context, await pruneVolumes(context, wanted));
    return 0;
  },
});
