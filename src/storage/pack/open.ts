import { named, type Slot } from "../../kernel/block.ts";
import type { Executor, Session } from "../../kernel/executor.ts";
import * as f from "../../kernel/flags.ts";
import { Program } from "../../kernel/program.ts";
import { ARCHIVE_FD, PROC_FD } from "./tree-reader.ts";

/**
 * Opens a process that is shut up in a tree: whatever it is told to open lies there. `root` adds the steps that answer the
 * tree's descriptor, and `inside` what it does once it is there. `purpose` is an infinitive, for errors.
 */
export async function openTree(
  executor: Executor,
  purpose: string,
  root: (p: Program) => Slot,
  inside?: (p: Program) => void,
): Promise<Session> {
  const session = await executor.open();
  try {
    const p = new Program(purpose);
    p.call("umask", [0], { note: "let modes be what they say" });
    const how = named(f.O_PATH | f.O_DIRECTORY | f.O_CLOEXEC, "O_PATH|O_DIRECTORY|O_CLOEXEC");
    const proc = p.sys("openat", [f.AT_FDCWD, p.text("/proc/self/fd"), how, 0], { note: "open its own descriptors" });
    p.call("dup3", [proc, PROC_FD, f.O_CLOEXEC], { note: "give them a fixed number" });
    p.call("fchdir", [root(p)], { note: "step into the tree" });
    p.call("chroot", [p.text(".")], { note: "and stay there" });
    inside?.(p);
    await session.run(p);
    return session;
  } catch (error) {
    session.close();
    throw error;
  }
}

/** The same for a directory of the machine. `archive`: the file that `PackOptions.toFile` means. */
export function openDirectoryTree(
  executor: Executor,
  purpose: string,
  directory: string,
  archive?: string,
): Promise<Session> {
  return openTree(executor, purpose, (p) => {
    if (archive !== undefined) openArchive(p, archive);
    const how = named(f.O_PATH | f.O_DIRECTORY | f.O_CLOEXEC, "O_PATH|O_DIRECTORY|O_CLOEXEC");
    return p.sys("openat", [f.AT_FDCWD, p.text(directory), how, 0], { note: `open ${directory}` });
  });
}

function openArchive(p: Program, archive: string): void {
  const how = named(f.O_WRONLY | f.O_NOFOLLOW | f.O_CLOEXEC, "O_WRONLY|O_NOFOLLOW|O_CLOEXEC");
  const fd = p.sys("openat", [f.AT_FDCWD, p.text(archive), how, 0], { note: "open the archive" });
  p.call("dup3", [fd, ARCHIVE_FD, f.O_CLOEXEC], { note: "give it a fixed number" });
  p.call("close", [fd], { note: "close the other" });
}
