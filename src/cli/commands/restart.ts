import { defineCommand } from "../command.ts";
import { forEach } from "../each.ts";
import { hidden, integer, text } from "../options.ts";

const timeout = integer("t", "Seconds to wait before killing the container");

export default defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Restart one or more containers",
  arity: { min: 1 },
  options: {
    signal: text("s", "Signal to send to the container"),
    timeout,
    time: hidden(timeout),
  },
  run: (context, names, { signal, timeout: seconds, time }) =>
    forEach(context, names, async (name) => {
      await context.client.containers.restart(name, { t: seconds ?? time, signal });
      return name;
    }),
});
