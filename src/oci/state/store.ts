import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { SampanError } from "../../errors/index.ts";
import type { Bundle } from "../config/bundle.ts";
import { configShape } from "../config/config.ts";
import { parse } from "../config/shape.ts";

/** What is remembered of a container, from its create to its delete, for the commands between. */
export interface ContainerRecord {
  readonly ociVersion: string;
  readonly id: string;
  readonly bundle: string;
  readonly rootfs: string;
  /** Of its first process, as the creator sees it; 0 while it is being created. */
  readonly pid: number;
  /** When that process began, in ticks since boot (proc_pid_stat(5)): another with the same number began later. */
  readonly startTime: string;
  /** ISO 8601. */
  readonly created: string;
  readonly owner: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly cgroupPath: string;
  /** It has a PID namespace of its own, so that nothing in it outlives its first process. */
  readonly ownPids: boolean;
}

/** Ids are names of directories. As in runc. */
const idPattern = /^[\w+.-]+$/;

/**
 * The containers below one root directory: for each a directory with `state.json`, a copy of its `config.json`, and while it
 * waits for its start the pipes of its gate. A directory is there or not, and state.json appears whole.
 */
export class Store {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** Throws `invalid` for what is no id. */
  directoryOf(id: string): string {
    if (!idPattern.test(id) || id === "." || id === ".." || id.length > 1024)
      throw new SampanError("invalid", `invalid container ID format: ${JSON.stringify(id)}`);
    return `${this.#root}/${id}`;
  }

  /** Takes the id; `conflict` when somebody has it. */
  make(id: string): string {
    const directory = this.directoryOf(id);
    mkdirSync(this.#root, { recursive: true, mode: 0o711 });
    try {
      mkdirSync(directory, { mode: 0o711 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      throw new SampanError("conflict", `container with given ID already exists: ${id}`, { cause: error });
    }
    return directory;
  }

  write(record: ContainerRecord): void {
    const path = `${this.directoryOf(record.id)}/state.json`;
    writeFileSync(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  /** Keeps config.json as it was, for `exec` and the hooks of later commands: the bundle may change. */
  keepConfig(id: string, json: string): void {
    writeFileSync(`${this.directoryOf(id)}/config.json`, json, { mode: 0o600 });
  }

  read(id: string): ContainerRecord {
    try {
      return JSON.parse(readFileSync(`${this.directoryOf(id)}/state.json`, "utf8")) as ContainerRecord;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      throw new SampanError("not-found", `container does not exist: ${id}`, { cause: error });
    }
  }

  bundleOf(record: ContainerRecord): Bundle {
    const path = `${this.directoryOf(record.id)}/config.json`;
    return { directory: record.bundle, config: parse(readFileSync(path, "utf8"), configShape, path) };
  }

  /** All that are created; what is half made or half removed is left out. */
  list(): ContainerRecord[] {
    return this.#names().flatMap((id) => {
      try {
        return [this.read(id)];
      } catch {
        return [];
      }
    });
  }

  remove(id: string): void {
    rmSync(this.directoryOf(id), { recursive: true, force: true });
  }

  #names(): string[] {
    try {
      return readdirSync(this.#root).sort();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  }
}
