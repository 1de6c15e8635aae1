import { defineCommand } from "../command.ts";
import { confirm } from "../confirm.ts";
import { flag } from "../options.ts";
import { printPruned, pruneFilter, pruneImages } from "../prune.ts";

const warnings = {
  dangling: "WARNING! This will remove all dangling images.",
  all: "WARNING! This will remove all images without at least one container associated to them.",
};

export default defineCommand({
  usage: "[OPTIONS]",
  summary: "Remove unused images",
  arity: { min: 0, max: 0 },
  options: {
    all: flag("a", "Remove all unused images, not just dangling ones"),
    filter: pruneFilter,
    force: flag("f", "Do not prompt for confirmation"),
  },
  run: async (context, _args, { all, filter, force }) => {
    if (!force && !(await confirm(context, all ? warnings.all : warnings.dangling))) return 0;
    printPruned(context, await pruneImages(context, filter, all));
    return 0;
  },
});
