import * as f from "../../kernel/flags.ts";
import { Program } from "../../kernel/program.ts";
import { locate } from "../../storage/pack/locate.ts";
import { TreeReader } from "../../storage/pack/tree-reader.ts";
import { pathBytes } from "../../storage/unpack/probe.ts";
import { bytesOf } from "../files/source-tree.ts";
import type { Workspace } from "./workspace.ts";

/** Directories and files that are made only because something is mounted there: they are no part of a RUN's result. */
export class MountPoints {
  /** Paths that were not there, the deepest first. */
  readonly #missing: readonly string[];

  private constructor(missing: readonly string[]) {
    this.#missing = missing;
  }

  /** Looks which of the targets are not there. */
  static async before(workspace: Workspace, targets: readonly string[]): Promise<MountPoints> {
    const wanted = targets.filter((target) => !target.startsWith("/dev/"));
    if (wanted.length === 0) return new MountPoints([]);
    const missing = new Set<string>();
    const session = await workspace.enter("look where to mount");
    try {
      for (const target of wanted) {
        const names = target.split("/").filter((name) => name !== "");
        for (let count = 1; count <= names.length; count++) {
          const path = `/${names.slice(0, count).join("/")}`;
          if (missing.has(path) || (await locate(session, path).catch(() => undefined)) === undefined)
            missing.add(path);
        }
      }
    } finally {
      session.close();
    }
    return new MountPoints([...missing].sort((a, b) => b.length - a.length));
  }

  /** What is still as it was made is taken away again. */
  async removeWhatWasMade(workspace: Workspace): Promise<void> {
    if (this.#missing.length === 0) return;
    const purpose = "take mount points away";
    const session = await workspace.enterLayer(purpose);
    try {
      const names = this.#missing.map((path) => bytesOf(path.slice(1)));
      const reader = new TreeReader(session, purpose);
      for (const name of names) {
        const [stat] = await reader.look([name]);
        const format = (stat?.mode ?? 0) & f.S_IFMT;
        if (stat === undefined || (format !== f.S_IFDIR && (format !== f.S_IFREG || stat.size > 0))) continue;
        const p = new Program(purpose);
        p.sys("unlinkat", [f.AT_FDCWD, pathBytes(p, name), format === f.S_IFDIR ? f.AT_REMOVEDIR : 0], {
          note: `remove ${name}, which is empty`,
          tolerate: ["ENOENT", "ENOTEMPTY", "EEXIST"],
        });
        await session.run(p);
      }
    } finally {
      session.close();
    }
  }
}
