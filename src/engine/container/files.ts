import { mkdirSync, readdirSync, rmdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import type { MonitorFiles } from "../../runtime/types.ts";
import type { Layout } from "../../storage/layout.ts";
import type { LogLimits } from "../logs/options.ts";

/** Where the files of one container are: containers/<id>/, and its monitors' sockets in the run directory. */
export class ContainerFiles {
  readonly directory: string;
  /** What the directory is called while it is being removed: there whole, or not at all. */
  readonly gone: string;
  readonly log: string;
  /** An empty directory that all containers share: each mounts its root file system there, seen by itself alone. */
  readonly mountPoint: string;
  readonly #sockets: string;

  constructor(layout: Layout, id: string) {
    this.directory = join(layout.containers, id);
    this.gone = join(layout.containers, `.gone-${id}`);
    this.log = join(this.directory, "log");
    this.mountPoint = join(layout.run, "rootfs");
    // A socket's path has at most 107 bytes (unix(7)), so 80 of the id's bits must do.
    this.#sockets = join(layout.run, "monitors", id.slice(0, 20));
  }

  make(): void {
    mkdirSync(this.directory, { mode: 0o711 });
  }

  /** Those of one life: a monitor that is just leaving must not meet its successor. */
  monitor(start: number, limits: LogLimits | undefined): MonitorFiles & { readonly exitFile: string } {
    return {
      socket: `${this.#sockets}.${start}`,
      exitFile: join(this.directory, `exit.${start}`),
      ...(limits && { log: { path: this.log, ...limits } }),
    };
  }

  /** An exec's end is only of interest to the daemon that started it: there is no exit file. */
  exec(execId: string): MonitorFiles {
    return { socket: `${this.#sockets}.${execId.slice(0, 12)}` };
  }

  /** Removes what the snapshot store has left: flat files and empty directories. Nothing is ever mounted here. */
  remove(): void {
    for (const directory of [this.directory, this.gone]) removeWithFiles(directory);
  }
}

function removeWithFiles(directory: string): void {
  // The last monitor may be writing its exit file meanwhile; a second look finds it.
  for (let attempt = 0; ; attempt++) {
    try {
      removeFlat(directory);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") return;
      if (code !== "ENOTEMPTY" || attempt === 20) throw error;
    }
  }
}

function removeFlat(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) rmdirSync(path);
    else unlinkIfThere(path);
  }
  rmdirSync(directory);
}

export function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
  }
}
