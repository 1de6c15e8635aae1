import { defineCommand } from "../command.ts";
import { ExitError } from "../errors.ts";

export default defineCommand({
  usage: "CONTAINER NEW_NAME",
  summary: "Rename a container",
  arity: { min: 2, max: 2 },
  options: {},
  run: async (context, [container = "", name = ""]) => {
    if (container.trim() === "" || name.trim() === "") {
      throw new ExitError(1, "Error: Neither old nor new names may be empty");
    }
    await context.client.containers.rename(container.trim(), name.trim());
    return 0;
  },
});
