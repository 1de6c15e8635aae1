import { lstatSync, readlinkSync, realpathSync } from "node:fs";
import { isAbsolute, join, posix, resolve } from "node:path";
import { Readable } from "node:stream";
import { hasMode, type PathStat, pathModes } from "../../api/shapes/path-stat.ts";
import type { Context } from "../context.ts";
import { ExitError } from "../errors.ts";
import { packLocal } from "./pack-local.ts";
import { type CopyInfo, followedName, planCopy, renamed, splitEntry, withSameEnd } from "./paths.ts";

/** Copies into a container. Answers where to and how many bytes of archive. */
export async function copyToContainer(
  context: Context,
  source: string,
  { container, path }: { readonly container: string; readonly path: string },
  options: { readonly follow: boolean; readonly archive: boolean },
): Promise<{ readonly to: string; readonly bytes: number }> {
  const destination = await destinationInfo(context, container, path);
  let bytes = 0;
  const send = async (directory: string, tar: AsyncIterable<Uint8Array>): Promise<void> => {
    async function* counted(): AsyncGenerator<Uint8Array> {
      for await (const chunk of tar) {
        bytes += chunk.length;
        yield chunk;
      }
    }
    const upload = Readable.from(counted(), { objectMode: false });
    const choices = { copyUIDGID: options.archive, noOverwriteDirNonDir: true };
    await context.client.files.write(container, directory, upload, choices);
  };
  if (source === "-") {
    if (!destination.isDirectory) throw new ExitError(1, `destination "${container}:${path}" must be a directory`);
    await send(destination.path, context.stdin);
  } else {
    const info = sourceInfo(withSameEnd(resolve(source), source), options.follow);
    const plan = planCopy(info, destination);
    const { directory, base } = splitEntry(info.path);
    const top = info.rebaseName ?? base;
    const as = plan.rename === undefined ? top : renamed(top, plan.rename);
    await send(plan.directory, packLocal(join(directory, base), as));
  }
  return { to: `${container}:${destination.path}`, bytes };
}

/** What is at the destination, a link there followed. */
async function destinationInfo(context: Context, container: string, path: string): Promise<CopyInfo> {
  const find = (at: string): Promise<PathStat | undefined> =>
    context.client.files.stat(container, at).catch((error) => {
      // That there is no such container is told when the copy begins.
      if (error.kind !== "not-found") throw error;
      return undefined;
    });
  let at = path;
  let stat = await find(at);
  if (stat !== undefined && hasMode(stat.mode, "symlink")) {
    at = isAbsolute(stat.linkTarget) ? stat.linkTarget : posix.join(splitEntry(path).directory, stat.linkTarget);
    stat = await find(at);
  }
  if (stat === undefined) return { path: at, exists: false, isDirectory: false };
  const { mode } = stat;
  const special = (["device", "fifo", "socket"] as const).some((kind) => pathModes[kind] && hasMode(mode, kind));
  if (special) {
    throw new ExitError(1, `destination "${container}:${path}" must be a directory or a regular file`);
  }
  return { path: at, exists: true, isDirectory: hasMode(mode, "directory") };
}

/** The path with the links on the way followed, but not the last: that one only when a "/" follows. */
function namedByParent(path: string): { readonly path: string; readonly rebaseName?: string } {
  const slash = path.lastIndexOf("/") + 1;
  const resolved = `${realpathSync(path.slice(0, slash)).replace(/\/$/, "")}/${path.slice(slash)}`;
  const asked = posix.basename(path);
  const renames = path.endsWith("/") && asked !== posix.basename(resolved);
  return renames ? { path: resolved, rebaseName: asked } : { path: resolved };
}

/** Where the links that begin at a path end, for errors. */
function endOfLinks(path: string): string {
  let at = path;
  for (let links = 0; links < 40; links++) {
    if (!lstatSync(at, { throwIfNoEntry: false })?.isSymbolicLink()) break;
    at = resolve(posix.dirname(at), readlinkSync(at));
  }
  return at;
}

function sourceInfo(path: string, follow: boolean): CopyInfo {
  try {
    const found = follow ? followedName(path, realpathSync(path)) : namedByParent(path);
    const stat = lstatSync(found.path);
    return { ...found, exists: true, isDirectory: stat.isDirectory() };
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ExitError(
      1,
      `lstat ${follow ? endOfLinks(path) : path}: ${code === "ENOENT" ? "no such file or directory" : String(code)}`,
    );
  }
}
