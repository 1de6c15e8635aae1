import { posix } from "node:path";
import { ExitError } from "../errors.ts";

/** One end of a copy as docker's command line means it. */
export interface CopyEnd {
  /** undefined: this machine. */
  readonly container: string | undefined;
  readonly path: string;
}

/** What is known of one end. */
export interface CopyInfo {
  readonly path: string;
  readonly exists: boolean;
  readonly isDirectory: boolean;
  /** The name that the archive's top has instead of the path's last part. */
  readonly rebaseName?: string | undefined;
}

/** How an archive becomes what is wanted: unpacked where, and with another name at its top. */
export interface CopyPlan {
  readonly directory: string;
  readonly rename: { readonly from: string; readonly to: string } | undefined;
}

/** `CONTAINER:PATH`, or a path of this machine: absolute, without a colon, or beginning with a dot. */
export function parseCopyEnd(text: string): CopyEnd {
  const colon = text.indexOf(":");
  if (text.startsWith("/") || colon < 0 || text.startsWith(".")) return { container: undefined, path: text };
  return { container: text.slice(0, colon), path: text.slice(colon + 1) };
}

/** A path's directory and last part; of "a/." they are "a" and ".". */
export function splitEntry(path: string): { readonly directory: string; readonly base: string } {
  const clean = posix.normalize(path || ".").replace(/(.)\/$/, "$1");
  if (!endsWithDot(path)) return { directory: posix.dirname(clean), base: posix.basename(clean) || "/" };
  return { directory: clean, base: "." };
}

/** Docker's rules for what a copy does, by what both ends are. Throws where they do not go together. */
export function planCopy(source: CopyInfo, destination: CopyInfo): CopyPlan {
  if (destination.exists && destination.isDirectory) return { directory: destination.path, rename: undefined };
  if (destination.exists && source.isDirectory) throw new ExitError(1, "cannot copy directory");
  if (!destination.exists && !source.isDirectory && assertsDirectory(destination.path)) {
    throw new ExitError(1, "no such directory");
  }
  const { directory, base: to } = splitEntry(destination.path);
  return { directory, rename: { from: source.rebaseName ?? splitEntry(source.path).base, to } };
}

/** A name of an archive with another beginning: the first time `from` occurs, as docker does. */
export function renamed(name: string, { from, to }: { readonly from: string; readonly to: string }): string {
  const old = from === "/" ? "" : from;
  const at = name.indexOf(old);
  return at < 0 ? name : name.slice(0, at) + to + name.slice(at + old.length);
}

/** Where a followed link leads, and the name that stays what was asked for. */
export function followedName(path: string, target: string): { readonly path: string; readonly rebaseName?: string } {
  let resolved = target;
  if (endsWithDot(path) && !endsWithDot(resolved)) resolved += "/.";
  if (path.endsWith("/") && !resolved.endsWith("/")) resolved += "/";
  const asked = posix.basename(path);
  return asked === posix.basename(resolved) ? { path: resolved } : { path: resolved, rebaseName: asked };
}

/** A "/" or "/." at the end says that a directory is meant. */
export function assertsDirectory(path: string): boolean {
  return path.endsWith("/") || endsWithDot(path);
}

function endsWithDot(path: string): boolean {
  return path === "." || path.endsWith("/.");
}

/** `changed`, which was made of `path`, with the "/" or "/." that that ended in. */
export function withSameEnd(changed: string, path: string): string {
  if (endsWithDot(path) && !endsWithDot(changed)) return changed === "/" ? "/." : `${changed}/.`;
  return path.endsWith("/") && !changed.endsWith("/") ? `${changed}/` : changed;
}
