import { openCgroupsAt } from "../../cgroups/index.ts";
import { SampanError } from "../../errors/index.ts";
import { statusOf } from "../state/status.ts";
import { command, idOf } from "./command.ts";

export const pause = command({
  name: "pause",
  usage: "CONTAINER",
  help: "let all processes of a container stand still",
  options: {},
  words: [1, 1],
  run: async ({ store }, _, words) => {
    const record = store.read(idOf(words));
    const status = statusOf(store, record);
    if (status !== "running" && status !== "created")
      throw new SampanError("conflict", `container not running or created: ${status}`);
    await openCgroupsAt(record.cgroupPath).freeze(record.cgroupPath);
    return 0;
  },
});

export const resume = command({
  name: "resume",
  usage: "CONTAINER",
  help: "let a paused container go on",
  options: {},
  words: [1, 1],
  run: async ({ store }, _, words) => {
    const record = store.read(idOf(words));
    const cgroups = openCgroupsAt(record.cgroupPath);
    if (!cgroups.frozen(record.cgroupPath)) throw new SampanError("conflict", "container not paused");
    await cgroups.thaw(record.cgroupPath);
    return 0;
  },
});
