import { createContainer } from "../life/create.ts";
import { command, idOf } from "./command.ts";
import { creatingOptions, creatingRequest } from "./creating.ts";

export const create = command({
  name: "create",
  usage: "[options] CONTAINER",
  help: "make a container of a bundle, which then waits for its start",
  options: creatingOptions,
  words: [1, 1],
  run: async (context, options, words) => {
    await createContainer(context, creatingRequest(options, idOf(words), false));
    return 0;
  },
});
