import { daemonEntry } from "../../client/daemon-entry.ts";
import { defineCommand } from "../command.ts";
import { ExitError } from "../errors.ts";
import { flag, hidden, list, text } from "../options.ts";

export default defineCommand({
  usage: "[OPTIONS]",
  summary: "Run the daemon in the foreground",
  arity: { min: 0, max: 0 },
  options: {
    root: text("", "Directory of the persistent state"),
    run: text("", "Directory of sockets and the pid file"),
    host: list("H", "Unix socket to listen on (unix:///path)"),
    "idle-exit": hidden(flag("", "")),
    "insecure-registry": list("", "Registry to talk to over plain HTTP"),
  },
  run: async (_context, _args, values) => {
    const flags = [
      ...(values.root === undefined ? [] : ["--root", values.root]),
      ...(values.run === undefined ? [] : ["--run", values.run]),
      ...values.host.flatMap((host) => ["--host", host]),
      ...values["insecure-registry"].flatMap((registry) => ["--insecure-registry", registry]),
      ...(values["idle-exit"] ? ["--idle-exit"] : []),
    ];
    if (process.execve === undefined) throw new ExitError(125, "This Node has no execve: use Node 24 or newer");
    // The daemon takes this process over: same pid, signals and terminal, and nothing of the command line in memory.
    process.removeAllListeners("warning");
    process.execve(process.execPath, [process.execPath, daemonEntry(), ...flags], process.env);
  },
});
