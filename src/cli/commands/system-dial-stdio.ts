import { defineCommand } from "../command.ts";

/** What the other end of an `ssh://` context runs: the daemon's socket on this process's standard streams. */
export default defineCommand({
  usage: "",
  summary: "Proxy the stdio stream to the daemon connection",
  arity: { min: 0, max: 0 },
  options: {},
  run: async (context) => {
    const socket = await context.client.dial();
    const ended = new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.once("end", resolve);
      socket.once("close", resolve);
    });
    socket.pipe(context.stdout, { end: false });
    // The end of our input closes its half only: the rest of the answer is still to come.
    context.stdin.pipe(socket);
    try {
      await ended;
    } finally {
      socket.destroy();
      context.stdin.destroy();
    }
    return 0;
  },
});
