import { SampanError } from "../../errors/index.ts";
import type { Executor, Session } from "../../kernel/executor.ts";
import * as f from "../../kernel/flags.ts";
import { Program } from "../../kernel/program.ts";
import { extractArchive } from "../../storage/extract/extract.ts";
import { openDirectoryTree } from "../../storage/pack/open.ts";
import { packTree } from "../../storage/pack/pack.ts";
import { type Stat, TreeReader } from "../../storage/pack/tree-reader.ts";

const purpose = "copy what the image has into a volume";

/**
 * Copies what is in directory `from` into the empty directory `to`, and the attributes of `from` itself. Containers that
 * have the volume already may be working in `to`: reader and writer are shut up in their directories each, so that a link
 * that somebody makes meanwhile leads nowhere else.
 */
export async function copyTree(executor: Executor, from: string, to: string): Promise<void> {
  const source = await openDirectoryTree(executor, purpose, from);
  try {
    const target = await openDirectoryTree(executor, purpose, to);
    // The volume is let go next
    await copy(source, target, to).finally(() => target.finish());
  } finally {
    source.close();
  }
}

async function copy(source: Session, target: Session, destination: string): Promise<void> {
  const reader = new TreeReader(source, purpose);
  const [top] = await reader.look([""]);
  if (top === undefined) throw new SampanError("not-found", `Cannot ${purpose}: the directory has gone`);
  const tree = packTree(reader, { from: "", as: "", withTop: false, entersMount: () => false, isUpper: false });
  await extractArchive(target, tree, { purpose, destination, noOverwriteDirNonDir: true });
  await setTop(target, top);
}

/** The directory that the session is in gets owner, rights and time. */
async function setTop(session: Session, { uid, gid, mode, mtime }: Stat): Promise<void> {
  const p = new Program(purpose);
  const here = p.text(".");
  const time = [mtime.seconds, mtime.nanoseconds];
  p.call("fchownat", [f.AT_FDCWD, here, uid, gid, 0], { note: "give it its owner" });
  p.call("fchmodat", [f.AT_FDCWD, here, mode & 0o7777], { note: "and rights" });
  p.call("utimensat", [f.AT_FDCWD, here, p.words([...time, ...time]), 0], { note: "and time" });
  await session.run(p);
}
