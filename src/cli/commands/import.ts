import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { defineCommand } from "../command.ts";
import { ExitError } from "../errors.ts";
import { list, text } from "../options.ts";
import { splitName } from "../parsing/repository.ts";
import { ProgressDisplay } from "../progress/display.ts";

export default defineCommand({
  usage: "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
  summary: "Import the contents from a tarball to create a filesystem image",
  arity: { min: 1, max: 2 },
  options: {
    change: list("c", "Apply Dockerfile instruction to the created image"),
    message: text("m", "Set commit message for imported image"),
    platform: text("", "Set platform if server is multi-platform capable"),
  },
  run: async (context, [from = "", name], { change: changes, message, platform }) => {
    const isUrl = /^https?:\/\//.test(from);
    const archive = isUrl ? undefined : from === "-" ? context.stdin : await openArchive(from);
    const named = name === undefined ? {} : splitName(name);
    const wanted = { source: isUrl ? from : "-", ...named, message, changes, platform };
    await new ProgressDisplay(context.stdout).show(await context.client.making.import(wanted, archive));
    return 0;
  },
});

async function openArchive(path: string): Promise<Readable> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw new ExitError(1, `open ${path}: ${error.code === "ENOENT" ? "no such file or directory" : error.code}`);
  });
  return file.createReadStream();
}
