import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import type { TarEntry } from "../../storage/tar/entry.ts";
import { SpooledContext } from "../context/spool.ts";
import { type ContextNode, impliedDirectory } from "../context/tree.ts";
import { ContextTree } from "../files/context-tree.ts";
import { RootTree } from "../files/root-tree.ts";
import { bytesOf, type SourceTree } from "../files/source-tree.ts";
import type { Job } from "./job.ts";
import type { Stack } from "./stack.ts";
import { Workspace } from "./workspace.ts";

/** A tree while something is copied from it. */
export interface OpenTree extends AsyncDisposable {
  readonly tree: SourceTree;
  /** The content of a file; only of trees that may hold archives to unpack. */
  read?(path: string): AsyncIterable<Uint8Array>;
}

/** The file system of another stage, or of an image. */
export async function stackTree({ parts }: Job, stack: Stack): Promise<OpenTree> {
  const workspace = await Workspace.open(parts, stack);
  try {
    const purpose = "read the files of another stage";
    const tree = new RootTree(await workspace.enter(purpose), purpose);
    return {
      tree,
      async [Symbol.asyncDispose]() {
        await tree[Symbol.asyncDispose]();
        await workspace[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await workspace[Symbol.asyncDispose]();
    throw error;
  }
}

/** A tree of one file that is in memory: a heredoc. */
export function inlineTree(name: string, content: Buffer, mtime: TarEntry["mtime"]): OpenTree {
  const digest = createHash("sha256").update(content).digest("hex");
  return fileTree(bytesOf(name), { content, digest, mode: 0o644, mtime, size: content.length });
}

interface OneFile {
  readonly content: Buffer | FileHandle;
  readonly digest: string;
  readonly mode: number;
  readonly mtime: TarEntry["mtime"];
  readonly size: number;
}

/** A tree of one file. */
export function fileTree(name: string, { content, digest, mode, mtime, size }: OneFile): OpenTree {
  const root = impliedDirectory(mtime);
  const stat = { ...root.stat, type: "file" as const, mode, size };
  const node: ContextNode = { stat, digest, at: 0, children: new Map() };
  root.children.set(name, node);
  const spool = new SpooledContext(root, content);
  const tree = new ContextTree(spool, () => false);
  return { tree, read: (path) => tree.read(path), [Symbol.asyncDispose]: () => spool[Symbol.asyncDispose]() };
}
