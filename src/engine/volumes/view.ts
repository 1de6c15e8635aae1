import { lstat, readlink } from "node:fs/promises";
import { join, posix } from "node:path";
import { SampanError } from "../../errors/index.ts";
import { named } from "../../kernel/block.ts";
import type { Executor } from "../../kernel/executor.ts";
import * as f from "../../kernel/flags.ts";
import { Program } from "../../kernel/program.ts";
import { isolateMounts, mountRoot } from "../../runtime/rootfs.ts";
import type { KernelFeatures } from "../../runtime/start.ts";
import type { RootFilesystem } from "../../runtime/types.ts";

const mostLinks = 40;

/** The root file system of a container that does not run, mounted where nobody else sees it, for as long as it is open. */
export class RootView implements Disposable {
  /** A path through /proc to its top. */
  readonly #top: string;
  readonly #close: () => void;

  private constructor(top: string, close: () => void) {
    this.#top = top;
    this.#close = close;
  }

  static async open(executor: Executor, root: RootFilesystem, kernel: KernelFeatures): Promise<RootView> {
    const session = await executor.open();
    try {
      const p = new Program("look into a container's root file system");
      p.call("unshare", [named(f.CLONE_NEWNS, "CLONE_NEWNS")], { note: "mount where nobody sees it" });
      isolateMounts(p);
      const mount = mountRoot(p, root, kernel);
      const pid = p.sys("getpid", [], { note: "tell where to look" });
      const results = await session.run(p);
      return new RootView(`/proc/${results.value(pid)}/fd/${results.value(mount)}`, () => session.close());
    } catch (error) {
      session.close();
      throw error;
    }
  }

  /**
   * Where a path of the container is, every link on the way followed as the container would; undefined when nothing is
   * there. Nobody else works in this root, so that what was looked at stays what it was.
   */
  async resolve(path: string): Promise<string | undefined> {
    let done = "/";
    let links = 0;
    const rest = path.split("/").reverse();
    for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
      if (name === "" || name === ".") continue;
      const next = posix.join(done, name);
      const stat = await lstat(join(this.#top, next)).catch(() => undefined);
      if (stat === undefined) return undefined;
      if (!stat.isSymbolicLink()) {
        done = next;
        continue;
      }
      if (++links > mostLinks) throw new SampanError("invalid", `too many levels of symbolic links: ${path}`);
      const target = await readlink(join(this.#top, next));
      if (target.startsWith("/")) done = "/";
      rest.push(...target.split("/").reverse());
    }
    return join(this.#top, done);
  }

  [Symbol.dispose](): void {
    this.#close();
  }
}
