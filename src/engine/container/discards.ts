import { basename, join } from "node:path";
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

interface Life {
  /** How often it was started: the files of its last life are named after that. */
  readonly starts: number;
  /** Its writable layer has a limit, which is given back. */
  readonly limited: boolean;
}

/**
 * Removes the files of containers that are gone, in a process of its own and after whoever removed the container has his
 * answer: nobody waits for a file system. What a crash leaves is swept by the next daemon, for the record is gone already.
 * Their directory gets another name first: should a loss of power bring the record back, all of its files are there, or none.
 */
export class Discards {
  readonly #parts: DiscardsParts;
  readonly #pending = new Set<Promise<void>>();
  #worker: Promise<Session> | undefined;

  constructor(parts: DiscardsParts) {
    this.#parts = parts;
  }

  discard(id: string, files: ContainerFiles, life: Life): void {
    const again = () => this.#remove(files, life);
    // The worker may have been lost, but nobody asks for this twice.
    const work = again()
      .catch(again)
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

  async #remove(files: ContainerFiles, { starts, limited }: Life): Promise<void> {
    if (!limited && (await this.#removeUnchanged(files, starts))) return;
    for (const directory of [files.directory, files.gone]) {
      await this.#parts.snapshots.remove(basename(directory), { limited });
    }
    files.remove();
  }

  /** Most containers have changed nothing in their layer: then a handful of calls do. False where there is more to remove. */
  async #removeUnchanged(files: ContainerFiles, starts: number): Promise<boolean> {
    const p = new Program("remove the files of a container");
    const { directory, gone } = files;
    const last = files.monitor(starts, undefined);
    const renamed = p.sys("renameat", [f.AT_FDCWD, p.text(directory), f.AT_FDCWD, p.text(gone)], {
      note: "take it away, all at once",
      tolerate: "all",
    });
    const remove = (path: string, flags: typeof AT_REMOVEDIR | 0) =>
      p.sys("unlinkat", [f.AT_FDCWD, p.text(path), flags], { note: `remove ${path}`, tolerate: "all" });
    for (const path of ["upper", "work/work", "work"]) remove(join(gone, path), AT_REMOVEDIR);
    if (starts > 0) for (const path of [files.log, last.exitFile]) remove(join(gone, basename(path)), 0);
    if (starts > 0) remove(last.socket, 0);
    const result = remove(gone, AT_REMOVEDIR);
    const session = await this.#session();
    const results = await session.run(p);
    // A full disk may have no room for another name.
    return [renamed, result].every((call) => [0, -ENOENT].includes(results.value(call)));
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
