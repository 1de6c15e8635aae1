import { createWriteStream, mkdirSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Context } from "../context.ts";
import { unpackLocal } from "../copy/unpack-local.ts";
import { ExitError } from "../errors.ts";

/** Refuses, before anything is built, to write an archive to a terminal. */
export function checkStdout(context: Context, path: string): void {
  if (path !== "-" || !context.stdout.isTTY) return;
  throw new ExitError(1, "dest file is required for an archive: refusing to write it to the terminal");
}

/** Writes an archive to a file, or with "-" to stdout. */
export async function writeArchiveTo(context: Context, path: string, tar: AsyncIterable<Uint8Array>): Promise<void> {
  const source = Readable.from(tar, { objectMode: false });
  if (path === "-") await pipeline(source, context.stdout, { end: false });
  else await pipeline(source, createWriteStream(path));
}

/** Unpacks an archive into a directory, which is made when it is missing. */
export async function unpackTo(path: string, tar: AsyncIterable<Uint8Array>): Promise<void> {
  mkdirSync(path, { recursive: true });
  await unpackLocal(tar, path, []);
}
