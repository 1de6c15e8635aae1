import { existsSync, rmdirSync } from "node:fs";
import { posix } from "node:path";
import { SampanError } from "../errors/index.ts";
import type { Slot } from "../kernel/block.ts";
import type { Program } from "../kernel/program.ts";
import type { Available } from "./available.ts";
import { ancestors, errnoOf, readText, writeText } from "./files.ts";
import type { Current, Write } from "./limits.ts";
import { makeDirectory, removeDirectory, writeValues } from "./steps.ts";
import { checkedPath, childrenOf, directoriesOf, pidsBelow, removeNow, sweep, waitFor } from "./tree.ts";
import type { CgroupLayout, CgroupPath, CgroupSupport, Cgroups, Hierarchy, Resources, Usage } from "./types.ts";

/** What is known of the machine once the containers' parent stands. */
export interface Machine {
  readonly layout: CgroupLayout;
  readonly parent: CgroupPath;
  readonly available: Available;
  /** Makes another parent for containers, with all that it needs. */
  readonly prepare: (parent: CgroupPath) => void;
  /** The container's own directories are there: only its limits are left to write. */
  readonly made?: boolean;
}

/** What v1 and v2 have in common. */
export abstract class MachineCgroups implements Cgroups {
  abstract readonly version: "v1" | "v2";
  abstract readonly support: CgroupSupport;
  readonly layout: CgroupLayout;
  readonly parent: CgroupPath;
  protected readonly available: Available;
  readonly #prepare: (parent: CgroupPath) => void;
  readonly #prepared = new Set<CgroupPath>();
  readonly #isMade: boolean;
  /** Parents that users named and that were not there: whoever made them removes them. */
  readonly #made = new Set<CgroupPath>();

  constructor(machine: Machine) {
    this.layout = machine.layout;
    this.parent = machine.parent;
    this.available = machine.available;
    this.#prepare = machine.prepare;
    this.#isMade = machine.made ?? false;
    this.#prepared.add(machine.parent);
  }

  abstract bornIn(program: Program, path: CgroupPath, init?: number): Slot | undefined;
  abstract enter(program: Program, path: CgroupPath): void;
  abstract usage(path: CgroupPath): Usage;
  abstract frozen(path: CgroupPath): boolean;
  abstract kill(path: CgroupPath): Promise<void>;
  protected abstract limits(resources: Resources, current?: Current): Write[];
  protected abstract finish(program: Program, path: CgroupPath, resources: Resources): void;
  /** Directory of the cgroup for a controller; undefined where it has none. */
  protected abstract directory(controller: string, path: CgroupPath): string | undefined;
  protected abstract setFrozen(path: CgroupPath, frozen: boolean): void;
  /** The file with a line "oom_kill N". */
  protected abstract readonly oomFile: string;

  pathOf(id: string, parent?: string): CgroupPath {
    return `${parent ? checkedPath(parent) : this.parent}/${id}`;
  }

  create(program: Program, path: CgroupPath, resources: Resources): void {
    const writes = this.limits(resources);
    if (!this.#isMade) this.#prepareFor(path);
    program.in("cgroup", () => {
      for (const hierarchy of this.#isMade ? [] : this.layout.hierarchies) {
        makeDirectory(program, hierarchy.mountPoint + path, `make its cgroup${of(hierarchy)}`);
      }
      for (const [file, values] of groupByFile(writes, (write) => this.#fileOf(write, path))) {
        writeValues(program, file, values);
      }
      this.finish(program, path, resources);
    });
  }

  oomCounter(path: CgroupPath): string | undefined {
    const directory = this.directory("memory", path);
    return directory && `${directory}/${this.oomFile}`;
  }

  remove(program: Program, path: CgroupPath): void {
    program.in("cgroup", () => {
      for (const hierarchy of this.layout.hierarchies) {
        removeDirectory(program, hierarchy.mountPoint + path, `remove its cgroup${of(hierarchy)}`);
      }
    });
  }

  removeNow(path: CgroupPath): Promise<void> {
    return removeNow(this.layout.hierarchies, path);
  }

  sweep(keep: ReadonlySet<CgroupPath>): CgroupPath[] {
    return sweep(this.layout.hierarchies, this.parent, keep);
  }

  close(): void {
    this.#removeEmpty(this.parent);
    for (const path of [...this.#made].reverse()) this.#removeEmpty(path);
    this.#prepared.clear();
  }

  async leaveParent(path: CgroupPath): Promise<void> {
    for (const parent of ancestors(posix.dirname(path)).toReversed()) {
      if (!this.#made.has(parent)) return;
      // The monitor may be about to remove the container's own.
      const [somewhere = ""] = directoriesOf(this.layout.hierarchies, parent);
      const others = () => childrenOf(somewhere).some((name) => !path.startsWith(`${parent}/${name}`));
      await waitFor(() => others() || this.#removeEmpty(parent));
      if (existsSync(somewhere)) return;
      this.#made.delete(parent);
      this.#prepared.delete(parent);
    }
  }

  /** Whether it is gone from every hierarchy. */
  #removeEmpty(path: CgroupPath): boolean {
    let gone = true;
    for (const directory of directoriesOf(this.layout.hierarchies, path)) {
      try {
        rmdirSync(directory);
      } catch (error) {
        const errno = errnoOf(error);
        if (!["EBUSY", "ENOENT", "ENOTEMPTY"].includes(errno)) throw error;
        gone &&= errno === "ENOENT";
      }
    }
    return gone;
  }

  update(path: CgroupPath, resources: Omit<Resources, "devices">): void {
    const current: Current = (controller, file) => {
      const directory = this.directory(controller, path);
      return directory === undefined ? undefined : readText(`${directory}/${file}`);
    };
    for (const write of this.limits(resources, current)) {
      try {
        writeText(this.#fileOf(write, path), write.value);
      } catch (error) {
        throw refused(write, path, error);
      }
    }
  }

  async freeze(path: CgroupPath): Promise<void> {
    this.setFrozen(path, true);
    if (await waitFor(() => this.frozen(path))) return;
    this.setFrozen(path, false);
    throw new SampanError("timeout", `Cannot freeze cgroup ${path}: a process did not stop within two seconds`);
  }

  async thaw(path: CgroupPath): Promise<void> {
    this.setFrozen(path, false);
    if (await waitFor(() => !this.frozen(path))) return;
    throw new SampanError("timeout", `Cannot thaw cgroup ${path}: it is still frozen, perhaps from above`);
  }

  pids(path: CgroupPath): number[] {
    const [directory] = directoriesOf(this.layout.hierarchies, path);
    return directory === undefined ? [] : pidsBelow(directory);
  }

  /** Freezes best it can, kills who is there and lets them die; again while new ones appear. */
  protected async killFrozen(path: CgroupPath): Promise<void> {
    await waitFor(() => {
      const pids = this.pids(path);
      if (pids.length === 0) return true;
      this.setFrozen(path, true);
      for (const pid of this.pids(path)) killQuietly(pid);
      this.setFrozen(path, false);
      return false;
    });
  }

  #fileOf({ controller, file }: Write, path: CgroupPath): string {
    return `${this.directory(controller, path)}/${file}`;
  }

  #prepareFor(path: CgroupPath): void {
    const parent = posix.dirname(path);
    const [somewhere] = directoriesOf(this.layout.hierarchies, parent);
    if (somewhere === undefined || (this.#prepared.has(parent) && existsSync(somewhere))) return;
    for (const above of ancestors(parent)) {
      const [directory] = directoriesOf(this.layout.hierarchies, above);
      if (directory !== undefined && above !== this.parent && !existsSync(directory)) this.#made.add(above);
    }
    this.#prepare(parent);
    this.#prepared.add(parent);
  }
}

/** " in hierarchy memory", for v1 with its many. */
function of(hierarchy: Hierarchy): string {
  return hierarchy.type === "cgroup2" ? "" : ` in hierarchy ${hierarchy.directory}`;
}

/** Values of neighbouring writes to the same file, which then is opened once. */
function groupByFile(writes: readonly Write[], fileOf: (write: Write) => string): [string, Write[]][] {
  const groups: [string, Write[]][] = [];
  for (const write of writes) {
    const file = fileOf(write);
    const last = groups.at(-1);
    if (last?.[0] === file) last[1].push(write);
    else groups.push([file, [write]]);
  }
  return groups;
}

function refused(write: Write, path: CgroupPath, error: unknown): SampanError {
  const errno = errnoOf(error);
  if (errno === "ENOENT" || errno === "ENODEV")
    return new SampanError("not-found", `Cannot ${write.note}: there is no cgroup ${path}`, { cause: error });
  const why = errno === "EBUSY" ? "more than that is in use" : `${write.file} does not take "${write.value}"`;
  return new SampanError("invalid", `Cannot ${write.note}: ${why} (${errno})`, { cause: error });
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (errnoOf(error) !== "ESRCH") throw error;
  }
}
