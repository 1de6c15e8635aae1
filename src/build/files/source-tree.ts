import { SampanError } from "../../errors/index.ts";
import type { TarReader } from "../../storage/tar/read.ts";
import type { FileStat } from "../context/tree.ts";

/** What of a tree is to be copied, and as what. */
export interface Selection {
  /** No link on the way. */
  readonly path: string;
  /** The name that it gets, relative to where it is copied to; "": what is in it gets names of its own. */
  readonly as: string;
  /** What is left out; names are relative to `path`, or the base name of a file. */
  excludes(name: string): boolean;
}

/**
 * A tree that files are copied from. Paths are byte strings relative to its root, "" is the root; links are never followed:
 * that is for `resolve`.
 */
export interface SourceTree extends AsyncDisposable {
  stat(path: string): Promise<FileStat | undefined>;
  /** In the order of their bytes. */
  names(path: string): Promise<string[]>;
  /** Tells of all that is selected: directories before what is in them. */
  copy(selection: Selection, to: TarReader): Promise<void>;
  /** A hash of all that is selected, of everything but times. */
  hash(selection: Selection): Promise<string>;
}

/** As many as the kernel follows (path_resolution(7)). */
const mostLinks = 40;

/**
 * Where a path leads, links followed within the tree as chroot(2) would have it; undefined when nothing is there. The last
 * part is followed, too, unless `keepLast`.
 */
export async function resolve(tree: SourceTree, path: string, keepLast = false): Promise<string | undefined> {
  let left = path.split("/").filter(isName);
  let found: string[] = [];
  for (let links = 0; left.length > 0; ) {
    const [name = "", ...rest] = left;
    left = rest;
    if (name === "..") {
      found = found.slice(0, -1);
      continue;
    }
    const here = [...found, name].join("/");
    const stat = await tree.stat(here);
    if (stat === undefined || (left.length > 0 && stat.type !== "directory" && stat.type !== "symlink"))
      return undefined;
    if (stat.type !== "symlink" || (keepLast && left.length === 0)) {
      found = [...found, name];
      continue;
    }
    if (++links > mostLinks)
      throw new SampanError("invalid", `Cannot follow ${path}: too many levels of symbolic links`);
    if (stat.linkName.startsWith("/")) found = [];
    left = [...stat.linkName.split("/").filter(isName), ...left];
  }
  return found.join("/");
}

function isName(part: string): boolean {
  return part !== "" && part !== ".";
}

/** UTF-8 text as a byte string. */
export function bytesOf(text: string): string {
  return Buffer.from(text).toString("latin1");
}

/** A byte string as text, for people and patterns. */
export function textOf(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString();
}

export function below(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}
