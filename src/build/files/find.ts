import { posix } from "node:path";
import { SampanError } from "../../errors/index.ts";
import type { FileStat } from "../context/tree.ts";
import { isPattern, matcher } from "./match.ts";
import { below, bytesOf, resolve, type SourceTree, textOf } from "./source-tree.ts";

/** Something that a source of COPY names. */
export interface Found {
  /** Where it is, links followed. */
  readonly path: string;
  /** The name it was found by, relative to the tree's root. */
  readonly written: string;
  /** Never that of a link. */
  readonly stat: FileStat;
}

/** What a path with wildcards names, in the order of names; "not-found" with Docker's text when a path
 * without any names nothing. */
export async function findSources(tree: SourceTree, written: string): Promise<Found[]> {
  const clean = posix.normalize(`/${written}`).slice(1).replace(/\/$/, "");
  let candidates = [""];
  for (const part of clean.split("/").filter(Boolean)) {
    const next: string[] = [];
    // One after the other: a tree is one session, which looks at one name at a time.
    for (const directory of candidates) next.push(...(await step(tree, directory, part)));
    candidates = next;
  }
  const found: Found[] = [];
  for (const name of candidates) {
    const path = await resolve(tree, name);
    const stat = path === undefined ? undefined : await tree.stat(path);
    if (path !== undefined && stat !== undefined) found.push({ path, written: name, stat });
  }
  // As BuildKit: nothing matches a pattern, and nothing is copied.
  if (found.length === 0 && !written.split("/").some(isPattern)) {
    const text = `COPY failed: file not found in build context or excluded by .dockerignore: stat ${written}: file does not exist`;
    throw new SampanError("not-found", text);
  }
  return found;
}

async function step(tree: SourceTree, directory: string, part: string): Promise<string[]> {
  if (!isPattern(part)) return [below(directory, bytesOf(part))];
  const real = await resolve(tree, directory);
  if (real === undefined) return [];
  const matches = matcher(part);
  return (await tree.names(real)).filter((name) => matches(textOf(name))).map((name) => below(directory, name));
}
