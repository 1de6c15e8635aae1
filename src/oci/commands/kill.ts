import { openCgroupsAt } from "../../cgroups/index.ts";
import { SampanError } from "../../errors/index.ts";
import { parseSignal, signals } from "../../kernel/signals.ts";
import { isAlive } from "../state/status.ts";
import { command, idOf } from "./command.ts";

export const kill = command({
  name: "kill",
  usage: "[options] CONTAINER [SIGNAL]",
  help: "send a signal, SIGTERM by default, to a container's first process",
  options: { all: { kind: "flag", short: "a", help: "to all its processes" } },
  words: [1, 2],
  run: async ({ store }, { all }, words) => {
    const record = store.read(idOf(words));
    const signal = parseSignal(words[1] ?? "SIGTERM");
    const cgroups = openCgroupsAt(record.cgroupPath);
    if (all) for (const pid of cgroups.pids(record.cgroupPath)) send(pid, signal);
    else if (isAlive(record)) send(record.pid, signal);
    else throw new SampanError("conflict", "container not running");
    // What v1 has frozen does not even die
    const frozen = cgroups.version === "v1" && signal === signals.SIGKILL && cgroups.frozen(record.cgroupPath);
    if (frozen) await cgroups.thaw(record.cgroupPath);
    return 0;
  },
});

function send(pid: number, signal: number): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
