import { startContainer } from "../life/start.ts";
import { command, idOf } from "./command.ts";

export const start = command({
  name: "start",
  usage: "CONTAINER",
  help: "run the program of a created container",
  options: {},
  words: [1, 1],
  run: async (context, _, words) => {
    await startContainer(context, context.store.read(idOf(words)));
    return 0;
  },
});
