import { leave } from "../kernel/leave.ts";
import { cli } from "./cli.ts";
import { flushed } from "./standard.ts";

// The reader of our output has gone (`sampan logs x | head`): end as a program does that SIGPIPE kills.
process.on("uncaughtException", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") leave(141);
  process.stderr.write(`sampan: ${error.stack ?? error.message}\n`);
  leave(125);
});

cli(process.argv.slice(2)).then(async (code) => {
  await flushed();
  leave(code);
});
