import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { defineCommand } from "../command.ts";
import { ExitError } from "../errors.ts";
import { flag, parsed, text } from "../options.ts";
import { parsePlatform } from "../parsing/platform.ts";
import { ProgressDisplay } from "../progress/display.ts";

export default defineCommand({
  usage: "[OPTIONS]",
  summary: "Load an image from a tar archive or STDIN",
  arity: { min: 0, max: 0 },
  options: {
    input: text("i", "Read from tar archive file, instead of STDIN"),
    platform: parsed("", "Load only the given platform variant", "string", parsePlatform),
    quiet: flag("q", "Suppress the load output"),
  },
  run: async (context, _args, { input, platform, quiet }) => {
    if (input === undefined && context.stdin.isTTY) {
      throw new ExitError(1, "requested load from stdin, but stdin is empty");
    }
    const archive = input === undefined ? context.stdin : await openArchive(input);
    const lines = await context.client.images.load(archive, { quiet: quiet || !context.stdout.isTTY, platform });
    await new ProgressDisplay(context.stdout).show(lines);
    return 0;
  },
});

async function openArchive(path: string): Promise<Readable> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw new ExitError(1, `open ${path}: ${error.code === "ENOENT" ? "no such file or directory" : error.code}`);
  });
  return file.createReadStream();
}
