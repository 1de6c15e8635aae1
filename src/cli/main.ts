import { cli } from "./cli.ts";

// The reader of our output has gone (`sampan logs x | head`): end as a program does that SIGPIPE kills.
process.on("uncaughtException", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(141);
  process.stderr.write(`sampan: ${error.stack ?? error.message}\n`);
  process.exit(125);
});

cli(process.argv.slice(2)).then(async (code) => {
  // Output to a slow pipe may still be on its way; exit drops it.
  await Promise.all([process.stdout, process.stderr].map(flushed));
  process.exit(code);
});

function flushed(stream: NodeJS.WriteStream): Promise<void> | undefined {
  return stream.writableLength === 0 ? undefined : new Promise((resolve) => stream.write("", () => resolve()));
}
