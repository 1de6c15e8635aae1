import type { TarEntry } from "../../storage/tar/entry.ts";
import type { TarReader } from "../../storage/tar/read.ts";
import type { SpooledContext } from "../context/spool.ts";
import { type ContextNode, type FileStat, nodeAt } from "../context/tree.ts";
import { ContentHash } from "./content-hash.ts";
import { below, type Selection, type SourceTree } from "./source-tree.ts";

/** The files that a client has sent. They belong to root, whoever they belonged to where they came from. */
export class ContextTree implements SourceTree {
  readonly #context: SpooledContext;
  /** Nothing of these is seen: .dockerignore. */
  readonly #ignored: (path: string) => boolean;

  constructor(context: SpooledContext, ignored: (path: string) => boolean) {
    this.#context = context;
    this.#ignored = ignored;
  }

  async stat(path: string): Promise<FileStat | undefined> {
    const node = nodeAt(this.#context.root, path);
    return node === undefined || (path !== "" && this.#ignored(path)) ? undefined : rootsOwn(node.stat);
  }

  async names(path: string): Promise<string[]> {
    const names = nodeAt(this.#context.root, path)?.children.keys() ?? [];
    return [...names].filter((name) => !this.#ignored(below(path, name))).sort();
  }

  async copy(selection: Selection, to: TarReader): Promise<void> {
    for (const { node, name } of this.#walk(selection)) {
      await to.entry(entryOf(node, name));
      if (node.stat.type !== "file") continue;
      let offset = 0;
      for await (const piece of this.#context.read(node)) {
        await to.data(piece, offset);
        offset += piece.length;
      }
      await to.end();
    }
  }

  /** Content of a file. */
  async *read(path: string): AsyncGenerator<Buffer> {
    const node = nodeAt(this.#context.root, path);
    if (node?.stat.type === "file") yield* this.#context.read(node);
  }

  async hash(selection: Selection): Promise<string> {
    const hash = new ContentHash();
    for (const { node, name } of this.#walk(selection)) hash.add(name, rootsOwn(node.stat), node.digest);
    return hash.digest();
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  *#walk(selection: Selection): Generator<{ readonly node: ContextNode; readonly name: string }> {
    const top = nodeAt(this.#context.root, selection.path);
    if (top === undefined) return;
    if (top.stat.type !== "directory") {
      if (!selection.excludes(selection.path.split("/").at(-1) ?? "")) yield { node: top, name: selection.as };
      return;
    }
    if (selection.as !== "") yield { node: top, name: selection.as };
    yield* this.#below(top, "", selection);
  }

  *#below(
    directory: ContextNode,
    relative: string,
    selection: Selection,
  ): Generator<{ readonly node: ContextNode; readonly name: string }> {
    const sorted = [...directory.children].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [base, node] of sorted) {
      const path = below(relative, base);
      if (this.#ignored(below(selection.path, path)) || selection.excludes(path)) {
        // Something in it may be wanted nevertheless.
        if (node.stat.type === "directory") yield* this.#below(node, path, selection);
        continue;
      }
      yield { node, name: below(selection.as, path) };
      if (node.stat.type === "directory") yield* this.#below(node, path, selection);
    }
  }
}

function rootsOwn(stat: FileStat): FileStat {
  return { ...stat, uid: 0, gid: 0 };
}

function entryOf({ stat }: ContextNode, name: string): TarEntry {
  return { ...rootsOwn(stat), name, sparse: false };
}
