import { existsSync, lstatSync, readlinkSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { hasMode } from "../../api/shapes/path-stat.ts";
import type { Context } from "../context.ts";
import { ExitError } from "../errors.ts";
import { type CopyInfo, followedName, planCopy, splitEntry, withSameEnd } from "./paths.ts";
import { unpackLocal } from "./unpack-local.ts";

/** Copies out of a container. Answers where to and how many bytes of archive, or nothing for a copy to stdout. */
export async function copyFromContainer(
  context: Context,
  { container, path }: { readonly container: string; readonly path: string },
  destination: string,
  { follow }: { readonly follow: boolean },
): Promise<{ readonly to: string; readonly bytes: number } | undefined> {
  const toStdout = destination === "-";
  const target = withSameEnd(resolve(destination), destination);
  if (!toStdout) checkOutput(target);
  const source = follow ? await followed(context, container, path) : { path };
  const { stat, tar } = await context.client.files.read(container, source.path);
  if (toStdout) {
    await pipeline(tar, context.stdout, { end: false });
    return undefined;
  }
  const info: CopyInfo = { ...source, exists: true, isDirectory: hasMode(stat.mode, "directory") };
  const plan = planCopy(info, destinationInfo(target));
  const asked =
    source.rebaseName === undefined ? undefined : { from: splitEntry(source.path).base, to: source.rebaseName };
  let bytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of tar) {
      bytes += (chunk as Uint8Array).length;
      yield chunk as Uint8Array;
    }
  }
  await unpackLocal(counted(), plan.directory, [asked, plan.rename]);
  return { to: target, bytes };
}

async function followed(
  context: Context,
  container: string,
  path: string,
): Promise<{ readonly path: string; readonly rebaseName?: string }> {
  const stat = await context.client.files.stat(container, path).catch(() => undefined);
  if (stat === undefined || !hasMode(stat.mode, "symlink")) return { path };
  const target = isAbsolute(stat.linkTarget) ? stat.linkTarget : join(splitEntry(path).directory, stat.linkTarget);
  return followedName(path, target);
}

function checkOutput(path: string): void {
  const directory = dirname(path.replace(/\/\.?$/, "") || "/");
  if (!existsSync(directory)) throw new ExitError(1, `invalid output path: directory "${directory}" does not exist`);
  const there = statSync(path, { throwIfNoEntry: false });
  if (there !== undefined && !there.isDirectory() && !there.isFile()) {
    throw new ExitError(1, `invalid output path: "${path}" must be a directory or a regular file`);
  }
}

/** What is at the destination, links followed; that may be nothing. */
function destinationInfo(path: string): CopyInfo {
  let at = path;
  for (let links = 0; links < 10; links++) {
    const stat = lstatSync(at, { throwIfNoEntry: false });
    if (stat === undefined) break;
    if (!stat.isSymbolicLink()) return { path: at, exists: true, isDirectory: stat.isDirectory() };
    at = resolve(dirname(at), readlinkSync(at));
  }
  return { path: at, exists: false, isDirectory: false };
}
