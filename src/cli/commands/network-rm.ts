import { defineCommand } from "../command.ts";
import { forEach } from "../each.ts";
import { flag } from "../options.ts";

export default defineCommand({
  usage: "NETWORK [NETWORK...]",
  summary: "Remove one or more networks",
  arity: { min: 1 },
  options: { force: flag("f", "Do not error if the network does not exist") },
  run: (context, names, { force }) => {
    const gone = (error: { readonly kind?: string }): undefined => {
      if (!force || error.kind !== "not-found") throw error;
    };
    return forEach(context, names, async (name) => {
      const removed = context.client.networks.remove(name).then(() => name);
      return removed.catch(gone);
    });
  },
});
