import { SampanError } from "../../errors/index.ts";
import type { Command } from "./command.ts";

/** Commands of runc that this runtime does not have, and why. */
function refused(name: string, help: string): Command {
  return {
    name,
    usage: "CONTAINER",
    help,
    options: {},
    run: async () => {
      throw new SampanError(
        "unsupported",
        `Cannot ${name}: checkpoints of containers are not supported by this runtime (runc and crun make them with CRIU)`,
      );
    },
  };
}

export const checkpoint = refused("checkpoint", "refused: checkpoints are not supported");
export const restore = refused("restore", "refused: checkpoints are not supported");
