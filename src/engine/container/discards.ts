import { join } from "node:path";
import { named } from "../../kernel/block.ts";
import { errnoNumber } from "../../kernel/errno.ts";
import type { Executor, Session } from "../../kernel/executor.ts";
import * as f from "../../kernel/flags.ts";
import { Program } from "../../kernel/program.ts";
import type { SnapshotStore } from "../../storage/snapshots/types.ts";
import type { EngineLog } from "../types.ts";
import type { ContainerFiles } from "./files.ts";

const ENOENT = errnoNumber("ENOENT");
const AT_REMOVEDIR = named(f.AT_REMOVEDIR, "AT_REMOVEDIR");

interface DiscardsParts {
  readonly executor: Executor;
  readonly snapshots: Pick<SnapshotStore, "remove">;
  readonly log: EngineLog;
}

/**
 * Removes the files of containers that are gone, in a process of its own and after whoever removed the container has his
 * answer: nobody waits for a file system. What a crash leaves is swept by the next daemon, for the record is gone already.
 */
export class Discards {
  readonly #parts: DiscardsParts;
  readonly #pending = new Set<Promise<void>>();
  #worker: Promise<Session> | undefined;

  constructor(parts: DiscardsParts) {
    this.#parts = parts;
  }

  /** `starts` is how often it was started: the files of its last life are named after that. */
  discard(id: string, files: ContainerFiles, starts: number): void {
    const work = this.#remove(id, files, starts)
      .catch((error) =>
        this.#parts.log.error({ error, container: id }, "files of a removed container are left for the next start"),
      )
      .finally(() => this.#pending.delete(work));
    this.#pending.add(work);
  }

  /** Resolves when all that was discarded so far is gone. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  async close(): Promise<void> {
    await this.settled();
    (await this.#worker?.catch(() => undefined))?.close();
  }

  async #remove(id: string, files: ContainerFiles, starts: number): Promise<void> {
    if (await this.#removeUnchanged(files, starts)) return;
    await this.#parts.snapshots.remove(id);
    files.remove();
  }

  /** Most containers have changed nothing in their layer: then a handful of calls do. False where there is more to remove. */
  async #removeUnchanged(files: ContainerFiles, starts: number): Promise<boolean> {
    const p = new Program("remove the files of a container");
    const { directory } = files;
    const last = files.monitor(starts, undefined);
    const remove = (path: string, flags: typeof AT_REMOVEDIR | 0) =>
      p.sys("unlinkat", [f.AT_FDCWD, p.text(path), flags], { note: `remove ${path}`, tolerate: "all" });
    for (const path of ["upper", "work/work", "work"]) remove(join(directory, path), AT_REMOVEDIR);
    if (starts > 0) for (const path of [files.log, last.exitFile, last.socket]) remove(path, 0);
    const result = remove(directory, AT_REMOVEDIR);
    const session = await this.#session();
    const code = (await session.run(p)).value(result);
    return code === 0 || code === -ENOENT;
  }

  async #session(): Promise<Session> {
    const session = await this.#worker?.catch(() => undefined);
    if (session && !session.ended) return session;
    this.#worker = this.#parts.executor.open().then((opened) => {
      opened.unref();
      return opened;
    });
    return this.#worker;
  }
}
