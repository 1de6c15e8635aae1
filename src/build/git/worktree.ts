import type { Executor } from "../../kernel/executor.ts";
import { openDirectoryTree } from "../../storage/pack/open.ts";
import { packTree } from "../../storage/pack/pack.ts";
import { TreeReader } from "../../storage/pack/tree-reader.ts";
import { type SpooledContext, spoolContext } from "../context/spool.ts";
import { type ContextNode, type FileStat, impliedDirectory, now } from "../context/tree.ts";

/** Reads a work tree, whole or without `.git`, which submodules have, too. `path`: where the spool file is made. */
export async function spoolWorktree(
  executor: Executor,
  { directory, path, keepGitDir }: { readonly directory: string; readonly path: string; readonly keepGitDir: boolean },
  signal: AbortSignal,
): Promise<SpooledContext> {
  const purpose = "read what git has checked out";
  const session = await openDirectoryTree(executor, purpose, directory);
  try {
    const how = { from: "", as: "", withTop: false, entersMount: () => false, isUpper: false };
    const spooled = await spoolContext(packTree(new TreeReader(session, purpose), how), path, signal);
    return spooled.at({ ...impliedDirectory(now()), children: childrenOf(spooled.root, keepGitDir) });
  } finally {
    session.close();
  }
}

/** As git has them: files can be executed or not, whatever the daemon's umask has left of that. */
function childrenOf({ children }: ContextNode, keepGitDir: boolean): Map<string, ContextNode> {
  const kept = [...children].filter(([name]) => keepGitDir || name !== ".git");
  return new Map(
    kept.map(([name, node]) => [name, { ...node, stat: plain(node.stat), children: childrenOf(node, keepGitDir) }]),
  );
}

function plain(stat: FileStat): FileStat {
  if (stat.type === "symlink") return stat;
  return { ...stat, mode: stat.type === "directory" || (stat.mode & 0o100) !== 0 ? 0o755 : 0o644 };
}
