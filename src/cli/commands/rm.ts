import { defineCommand } from "../command.ts";
import { forEach } from "../each.ts";
import { flag, later } from "../options.ts";

export default defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Remove one or more containers",
  arity: { min: 1 },
  options: {
    force: flag("f", "Force the removal of a running container (uses SIGKILL)"),
    link: later("links between containers are", { short: "l", isSwitch: true }),
    volumes: flag("v", "Remove anonymous volumes associated with the container"),
  },
  run: async (context, names, { force, volumes }) => {
    const remove = async (name: string): Promise<string | undefined> => {
      await context.client.containers.remove(name, { force: force || undefined, v: volumes || undefined });
      return name;
    };
    const gone = (error: { readonly kind?: string; readonly message?: string }): undefined => {
      // As docker: with --force a container that is not there is told, but is no failure.
      if (!force || error.kind !== "not-found") throw error;
      context.warn(`Error response from daemon: ${error.message}`);
    };
    return forEach(context, names, (name) => remove(name).catch(gone));
  },
});
