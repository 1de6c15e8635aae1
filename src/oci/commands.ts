import type { Command } from "./commands/command.ts";
import { create } from "./commands/create.ts";
import { remove } from "./commands/delete.ts";
import { events } from "./commands/events.ts";
import { exec } from "./commands/exec.ts";
import { features } from "./commands/features.ts";
import { kill } from "./commands/kill.ts";
import { list } from "./commands/list.ts";
import { pause, resume } from "./commands/pause.ts";
import { ps } from "./commands/ps.ts";
import { checkpoint, restore } from "./commands/refused.ts";
import { run } from "./commands/run.ts";
import { spec } from "./commands/spec.ts";
import { start } from "./commands/start.ts";
import { state } from "./commands/state.ts";
import { update } from "./commands/update.ts";

/** Every command, in the order of their names. */
export const commands: readonly Command[] = [
  checkpoint,
  create,
  remove,
  events,
  exec,
  features,
  kill,
  list,
  pause,
  ps,
  restore,
  resume,
  run,
  spec,
  start,
  state,
  update,
];
