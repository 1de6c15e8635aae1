import { existsSync, statSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Context } from "./context.ts";
import { ExitError } from "./errors.ts";

/** Writes an archive to stdout, or to a file that appears when it is whole. Terminals are spared. */
export async function writeArchive(
  context: Context,
  output: string | undefined,
  archive: () => Promise<Readable>,
): Promise<void> {
  if (output === undefined) {
    if (context.stdout.isTTY) {
      throw new ExitError(1, "cowardly refusing to save to a terminal. Use the -o flag or redirect");
    }
    await pipeline(await archive(), context.stdout, { end: false });
    return;
  }
  checkOutput(output);
  const source = await archive();
  const isFile = statSync(output, { throwIfNoEntry: false })?.isFile() ?? true;
  const path = isFile ? `${output}.tmp-${process.pid}` : output;
  const file = await open(path, "w", 0o600);
  try {
    await pipeline(source, file.createWriteStream());
    if (isFile) await rename(path, output);
  } catch (error) {
    if (isFile) await rm(path, { force: true });
    throw error;
  }
}

function checkOutput(path: string): void {
  const directory = dirname(path);
  if (!existsSync(directory)) throw new ExitError(1, `invalid output path: directory "${directory}" does not exist`);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new ExitError(1, `failed to save: invalid output path: "${path}" is a directory`);
  }
}
