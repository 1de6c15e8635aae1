import { writeOut } from "../output.ts";
import { shownState } from "../state/shown.ts";
import { command, idOf } from "./command.ts";

export const state = command({
  name: "state",
  usage: "CONTAINER",
  help: "tell a container's state as JSON",
  options: {},
  words: [1, 1],
  run: ({ store }, _, words) => {
    const state = shownState(store, store.read(idOf(words)));
    writeOut(`${JSON.stringify(state, null, 2)}\n`);
    return 0;
  },
});
