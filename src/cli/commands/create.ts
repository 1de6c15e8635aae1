import { defineCommand } from "../command.ts";
import { createContainer } from "../run/create-container.ts";
import { containerFailure } from "../run/exit-code.ts";
import { containerFlags } from "../run/flags.ts";
import { quietFlags } from "../run/later.ts";
import { attachedStreams, createRequest } from "../run/request.ts";

export default defineCommand({
  usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
  summary: "Create a new container",
  arity: { min: 1 },
  flagsFirst: true,
  options: { ...containerFlags, ...quietFlags },
  run: async (context, args, values) => {
    try {
      const request = createRequest(context, args, { values, attached: attachedStreams(values, false) });
      context.print(await createContainer(context, request, values));
      return 0;
    } catch (error) {
      throw containerFailure("create", error);
    }
  },
});
