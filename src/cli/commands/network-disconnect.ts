import { defineCommand } from "../command.ts";
import { flag } from "../options.ts";

export default defineCommand({
  usage: "[OPTIONS] NETWORK CONTAINER",
  summary: "Disconnect a container from a network",
  arity: { min: 2, max: 2 },
  options: { force: flag("f", "Force the container to disconnect from a network") },
  run: async (context, [network = "", container = ""], { force }) => {
    await context.client.networks.disconnect(network, container, { force });
    return 0;
  },
});
