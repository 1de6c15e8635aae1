import type { TarEntry } from "../../storage/tar/entry.ts";

/** What a file of a tree is, besides its name: as a tar archive has it. */
export type FileStat = Omit<TarEntry, "name" | "sparse">;

/** A node of a tree that lies in memory; contents lie in a spool file. Names are byte strings, as in `TarEntry`. */
export interface ContextNode {
  readonly stat: FileStat;
  /** Of files: SHA-256 of the content. */
  readonly digest: string;
  /** Of files: where the content is in the spool. */
  readonly at: number;
  /** Of directories. */
  readonly children: Map<string, ContextNode>;
}

export const now = (): TarEntry["mtime"] => ({ seconds: Math.floor(Date.now() / 1000), nanoseconds: 0 });

/** A directory that the archive did not describe. */
export function impliedDirectory(mtime: TarEntry["mtime"]): ContextNode {
  const stat: FileStat = {
    type: "directory",
    linkName: "",
    mode: 0o755,
    uid: 0,
    gid: 0,
    size: 0,
    mtime,
    major: 0,
    minor: 0,
    xattrs: [],
  };
  return { stat, digest: "", at: 0, children: new Map() };
}

/** The node at a path of names; links are not followed. "" is the root. */
export function nodeAt(root: ContextNode, path: string): ContextNode | undefined {
  let node: ContextNode | undefined = root;
  for (const name of path.split("/")) if (name !== "") node = node?.children.get(name);
  return node;
}
