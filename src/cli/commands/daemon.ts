import { daemonEntry, nodeFlags } from "../../client/daemon-entry.ts";
import { defineCommand } from "../command.ts";
import { ExitError } from "../errors.ts";
import { folded, list, text } from "../options.ts";

export default defineCommand({
  usage: "[OPTIONS]",
  summary: "Run the daemon in the foreground",
  arity: { min: 0, max: 0 },
  options: {
    root: text("", "Where images and containers are kept"),
    run: text("", "Where the socket and the pid file are"),
    host: list("H", "Listen there, too: unix:///path or tcp://127.0.0.1:port"),
    "idle-exit": folded<string | undefined>("", "Leave when idle for so many seconds (60 without a number)", "", {
      initial: undefined,
      read: (value) => (value === "true" ? "" : value),
    }),
    "log-level": text("", "fatal, error, warn, info, debug or trace (default info)"),
    "log-file": text("", "Write the log there instead of to standard error"),
    "insecure-registry": list("", "Speak to this registry without verified TLS"),
    "registry-mirror": list("", "Ask this host before docker.io"),
    bridge: text("", "none: no default network"),
  },
  run: async (_context, _args, values) => {
    const flags = Object.entries(values).flatMap(([name, value]) => {
      const texts = Array.isArray(value) ? value : value === undefined ? [] : [value];
      return texts.map((each) => `--${name}=${each}`);
    });
    if (process.execve === undefined) throw new ExitError(125, "This Node has no execve: use Node 24 or newer");
    // The daemon takes this process over: same pid, signals and terminal, and nothing of the command line in memory.
    process.removeAllListeners("warning");
    process.execve(process.execPath, [process.execPath, ...nodeFlags, daemonEntry(), ...flags], process.env);
  },
});
